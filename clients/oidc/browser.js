// A browser's part in the authorization code flow, and the client's after it: forms are filled in, redirections followed by
// hand, and the code is traded for an ID token. (Source: OpenID Connect Core 1.0, and RFC 7636.)
import { createHash, randomBytes } from "node:crypto";

const REDIRECT = "https://127.0.0.1/signed-in";

/** The ID token of `user`, signed in at `issuer`. */
export async function signIn(issuer, client, secret, user) {
  const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const asked = new URL(discovery.authorization_endpoint);
  asked.search = new URLSearchParams({
    client_id: client,
    redirect_uri: REDIRECT,
    response_type: "code",
    scope: "openid profile",
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const returned = await browse(asked, user);
  if (returned.searchParams.get("state") !== state) throw new Error(`not our sign-in: ${returned}`);
  const answer = await fetch(discovery.token_endpoint, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString("base64")}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: returned.searchParams.get("code"),
      redirect_uri: REDIRECT,
      code_verifier: verifier,
    }),
  });
  const tokens = await answer.json();
  if (!tokens.id_token) throw new Error(`no ID token: ${JSON.stringify(tokens)}`);
  return tokens.id_token;
}

/** Goes where it is sent, fills in what it meets, and stops where the client waits. */
async function browse(start, user) {
  const jar = new Map();
  let next = { url: start, method: "GET" };
  for (let step = 0; step < 20; step += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(next.url, {
      method: next.method,
      body: next.body,
      headers: { cookie },
      redirect: "manual",
    });
    for (const set of response.headers.getSetCookie()) {
      const [pair] = set.split(";");
      const at = pair.indexOf("=");
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = response.headers.get("location");
    if (location) {
      const url = new URL(location, next.url);
      if (url.href.startsWith(REDIRECT)) return url;
      next = { url, method: "GET" };
      continue;
    }
    const page = await response.text();
    const prompt = page.match(/name="prompt" value="(\w+)"/)?.[1];
    const action = page.match(/action="([^"]+)"/)?.[1];
    if (!prompt || !action) throw new Error(`nothing to fill in at ${next.url}: ${response.status} ${page.slice(0, 300)}`);
    const fields = prompt === "login" ? { prompt, login: user, password: "any" } : { prompt };
    next = { url: new URL(action, next.url), method: "POST", body: new URLSearchParams(fields) };
  }
  throw new Error("sent around in circles");
}
