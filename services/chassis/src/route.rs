//! From an operation to its handler. What a person writes for an operation is an `impl Handle<Request>`; what is
//! generic over the request is kept to decoding and dispatching, so that the pipeline is compiled once.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use prost::Message as _;
use reeve_directory::Error;
use reeve_proto::{Fields, Operation, Spec};

use crate::call::Call;
use crate::crowd;

/// Carries out an operation. It may be run again from the start when what it read has changed; its only effects are
/// writes to the call's transaction.
pub trait Handle<O: Operation>: Send + Sync + 'static {
    /// The call is authenticated, its members are checked, and policies allow it.
    fn handle(&self, call: &mut Call<'_>, op: &O) -> impl Future<Output = Result<O::Response, Error>> + Send;
}

/// An operation and its handler.
pub struct Route {
    /// What the operation's RPC declares.
    pub(crate) spec: &'static Spec,
    handler: Box<dyn Handler>,
}

impl Route {
    pub(crate) fn decode(&self, payload: Bytes) -> Result<Box<dyn Request>, Error> {
        self.handler.decode(payload)
    }

    pub(crate) fn handle<'a>(
        &'a self,
        call: &'a mut Call<'_>,
        request: &'a dyn Request,
    ) -> BoxFuture<'a, Result<Bytes, Error>> {
        self.handler.handle(call, request)
    }

    /// The gRPC service, with its package.
    pub(crate) fn service_name(&self) -> String {
        service_name(self.spec)
    }
}

/// The operations that a server serves.
#[derive(Default)]
pub struct Routes(HashMap<&'static str, Arc<Route>>);

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operation, carried out by `handler`.
    pub fn add<O: Operation, H: Handle<O>>(&mut self, handler: &Arc<H>) {
        let handler = Box::new(HandlerOf { handler: Arc::clone(handler), operation: PhantomData::<fn(O)> });
        self.0.insert(O::SPEC.grpc_path, Arc::new(Route { spec: O::SPEC, handler }));
    }

    /// The operation at a path of gRPC's.
    pub(crate) fn get(&self, grpc_path: &str) -> Option<&Arc<Route>> {
        self.0.get(grpc_path)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.0.values()
    }

    pub(crate) fn services(&self) -> BTreeSet<String> {
        self.all().map(|route| route.service_name()).collect()
    }
}

fn service_name(spec: &Spec) -> String {
    format!("{}.{}", spec.package, spec.service)
}

/// A decoded request, whatever its operation.
pub(crate) trait Request: Fields + Any + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn as_fields(&self) -> &dyn Fields;
}

impl<O: Operation> Request for O {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_fields(&self) -> &dyn Fields {
        self
    }
}

/// A handler, whatever its operation.
trait Handler: Send + Sync {
    fn decode(&self, payload: Bytes) -> Result<Box<dyn Request>, Error>;
    fn handle<'a>(
        &'a self,
        call: &'a mut Call<'_>,
        request: &'a dyn Request,
    ) -> BoxFuture<'a, Result<Bytes, Error>>;
}

struct HandlerOf<O, H> {
    handler: Arc<H>,
    operation: PhantomData<fn(O)>,
}

impl<O: Operation, H: Handle<O>> Handler for HandlerOf<O, H> {
    fn decode(&self, payload: Bytes) -> Result<Box<dyn Request>, Error> {
        crowd::check_message(&payload, O::SPEC.members)?;
        match O::decode(payload) {
            Ok(request) => Ok(Box::new(request)),
            Err(error) => {
                Err(Error::validation_error(format!("The request is not a {}: {error}", O::SPEC.request)))
            }
        }
    }

    fn handle<'a>(
        &'a self,
        call: &'a mut Call<'_>,
        request: &'a dyn Request,
    ) -> BoxFuture<'a, Result<Bytes, Error>> {
        let Some(request) = request.as_any().downcast_ref::<O>() else {
            let error =
                Error::internal_failure(format!("{} was given another operation's request", O::SPEC.action));
            return std::future::ready(Err(error)).boxed();
        };
        async move { Ok(Bytes::from(self.handler.handle(call, request).await?.encode_to_vec())) }.boxed()
    }
}
