// A company's OpenID provider on the loopback, over HTTPS: npm's oidc-provider, which is certified, with accounts of our own.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import Provider from "oidc-provider";

/** Who works there, and what the company says of them. */
const STAFF = {
  dana: { email: "dana@example.com", department: "blue" },
  erin: { email: "erin@example.com", department: "red" },
};
const CLIENT = { client_id: "reeve", client_secret: "a-secret-between-the-two", redirect_uris: ["https://127.0.0.1/signed-in"] };

export class Company {
  /** Starts it; `certificate` and `key` are PEM. */
  static async start(certificate, key) {
    const company = new Company();
    company.server = createServer({ cert: certificate, key }, (request, response) => company.answer(request, response));
    company.server.listen(0, "127.0.0.1");
    await once(company.server, "listening");
    company.issuer = `https://127.0.0.1:${company.server.address().port}`;
    company.rotate("ES256");
    return company;
  }

  audience = CLIENT.client_id;
  secret = CLIENT.client_secret;

  /** Signs with a new key from now on, by `algorithm`, and publishes no other. */
  rotate(algorithm) {
    const { privateKey } =
      algorithm === "RS256"
        ? generateKeyPairSync("rsa", { modulusLength: 2048 })
        : generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: algorithm, use: "sig" };
    this.provider = new Provider(this.issuer, {
      clients: [{ ...CLIENT, id_token_signed_response_alg: algorithm, response_types: ["code"], grant_types: ["authorization_code"] }],
      jwks: { keys: [key] },
      cookies: { keys: ["a-secret-of-the-company-s"] },
      claims: { openid: ["sub"], profile: ["email", "department"] },
      conformIdTokenClaims: false,
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...STAFF[id] }) }),
      pkce: { required: () => true },
      ttl: { AccessToken: 300, Grant: 300, IdToken: 300, Interaction: 300, Session: 300 },
    });
    this.answer = this.provider.callback();
  }

  stop() {
    this.server.close();
  }
}
