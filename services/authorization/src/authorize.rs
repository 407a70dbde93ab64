//! "May this principal do this here?", asked by a relying service. The asking itself was authorized before.

use reeve_chassis::audit::Asked as Told;
use reeve_chassis::authorize::{Ask, decision_message, effect_name, layer_name};
use reeve_chassis::{Call, Handle, Identity};
use reeve_directory::Error;
use reeve_evaluator::{Layer, Policies};
use reeve_proto::authorization::v1::{
    AuthorizeRequest, AuthorizeResponse, BatchAuthorizeRequest, BatchAuthorizeResponse, Decision,
    MatchedStatement, Question,
};

use crate::Authorization;
use crate::question::{self, Asked, Subject};

impl Handle<AuthorizeRequest> for Authorization {
    async fn handle(&self, call: &mut Call<'_>, op: &AuthorizeRequest) -> Result<AuthorizeResponse, Error> {
        let question = op.question.as_ref().ok_or_else(|| {
            Error::validation_error("Member must not be null")
                .with_violation("question", "Member must not be null")
        })?;
        let decision = self.decide(call, question, "question").await?;
        Ok(AuthorizeResponse { decision: Some(decision) })
    }
}

impl Handle<BatchAuthorizeRequest> for Authorization {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &BatchAuthorizeRequest,
    ) -> Result<BatchAuthorizeResponse, Error> {
        let mut decisions = Vec::with_capacity(op.questions.len());
        for (index, question) in op.questions.iter().enumerate() {
            decisions.push(self.decide(call, question, &format!("questions[{index}]")).await?);
        }
        Ok(BatchAuthorizeResponse { decisions })
    }
}

impl Authorization {
    /// Decides `question`, which the request holds at `field`, and has it audited.
    async fn decide(&self, call: &mut Call<'_>, question: &Question, field: &str) -> Result<Decision, Error> {
        let decided = self.decision(call, question, field).await;
        let told = Told { action: &question.action, resource: &question.resource, ..Told::default() };
        match &decided {
            Ok(decision) => call.told(&Told {
                principal: &decision.principal_arn,
                decision: &decision.eval_decision,
                layer: &decision.layer,
                error_code: &decision.error_code,
                ..told
            }),
            Err(error) => call.told(&Told {
                principal: question.principal_arn.as_deref().unwrap_or_default(),
                error_code: error.reason.answer().code,
                ..told
            }),
        }
        decided
    }

    async fn decision(
        &self,
        call: &mut Call<'_>,
        question: &Question,
        field: &str,
    ) -> Result<Decision, Error> {
        let asked = Asked::parse(question).map_err(|fault| fault.at(field))?;
        let audience = self.audience(call, question, field).await?;
        match question::subject(call, &asked, audience.as_deref()).await? {
            Subject::Known(identity) => self.decide_about(call, &identity, &asked, field),
            Subject::Nobody { code, message, arn } => Ok(nobody(code, message, arn, asked.is_session())),
        }
    }

    /// Decides a question about somebody who is there.
    pub(crate) fn decide_about(
        &self,
        call: &Call<'_>,
        identity: &Identity,
        asked: &Asked<'_>,
        field: &str,
    ) -> Result<Decision, Error> {
        let question = asked.question;
        let resource_policy = self.resource_policy(question, field)?;
        let ask = Ask {
            identity,
            action: &question.action,
            resource: &question.resource,
            resource_account: question.resource_account.as_deref(),
            resource_policy,
            now: call.now,
        };
        let told = ask.decide(
            call.environment,
            |context| asked.describe(context),
            |decision, policies| answer(question, identity, decision, policies, asked.is_session()),
        );
        told.map_err(|fault| fault.at(field))
    }
}

fn answer(
    question: &Question,
    identity: &Identity,
    decision: &reeve_evaluator::Decision,
    policies: &Policies,
    session_evaluated: bool,
) -> Result<Decision, question::Fault> {
    if decision.layer == Layer::Request {
        // The principal and the action were checked before: what is left is whose the resource is.
        let reason = decision.invalid.map_or_else(String::new, |invalid| invalid.to_string());
        return Err(question::Fault::value("resource_account", reason));
    }
    let matched = decision.statements(policies).map(|statement| MatchedStatement {
        source_policy_id: statement.policy.to_owned(),
        sid: statement.sid.unwrap_or_default().to_owned(),
        index: i32::try_from(statement.index).unwrap_or(i32::MAX),
    });
    Ok(Decision {
        eval_decision: effect_name(decision.effect).to_owned(),
        allowed: decision.is_allowed(),
        layer: layer_name(decision.layer).to_owned(),
        matched_statements: matched.collect(),
        message: decision_message(identity, decision, &question.action, &question.resource),
        principal_arn: identity.arn().to_owned(),
        session_evaluated,
        error_code: String::new(),
    })
}

/// The answer where there is nobody to decide about: a denial.
pub(crate) fn nobody(code: &str, message: String, arn: String, session_evaluated: bool) -> Decision {
    Decision {
        eval_decision: "implicitDeny".to_owned(),
        layer: "principal".to_owned(),
        message,
        principal_arn: arn,
        session_evaluated,
        error_code: code.to_owned(),
        ..Decision::default()
    }
}
