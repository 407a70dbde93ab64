// Signs gRPC calls to Reeve with AWS Signature Version 4. Copy this file into your project; it needs @grpc/grpc-js alone.
//
//     const options = { interceptors: [signer(credentials, target)] };
//     const users = new UserServiceClient(target, grpc.credentials.createInsecure(), options);
//
// The message is serialized once, and the bytes that were hashed are the bytes that are sent. A call-credentials plugin
// cannot do this: it never sees the message.
import { createHash, createHmac } from "node:crypto";
import { InterceptingCall } from "@grpc/grpc-js";

const ALGORITHM = "AWS4-HMAC-SHA256";

// An interceptor for clients of any make: generated, or loaded by @grpc/proto-loader.
//
// `credentials` are { accessKeyId, secretAccessKey, sessionToken? }. `authority` is what the channel sends as
// `:authority`: the host and port of its target, unless "grpc.default_authority" says otherwise.
export function signer(credentials, authority, region = "us-east-1") {
  return (options, nextCall) => {
    const { path, requestSerialize } = options.method_definition;
    const asItIs = { ...options.method_definition, requestSerialize: (bytes) => bytes };
    const call = nextCall({ ...options, method_definition: asItIs });
    let start;
    return new InterceptingCall(call, {
      // The headers wait for the message, whose hash they carry.
      start(metadata, listener, next) {
        start = () => next(metadata, listener);
        start.metadata = metadata;
      },
      sendMessage(message, next) {
        const payload = requestSerialize(message);
        sign(start.metadata, { credentials, region, path, authority, payload });
        start();
        next(payload);
      },
    });
  };
}

// Adds to `metadata` what makes a call of `path` with the serialized message `payload` a signed one. The `x-amz-*` and
// `reeve-*` entries that it holds already are signed, as Reeve demands.
export function sign(metadata, { credentials, region, path, authority, payload, now = new Date() }) {
  const stamp = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const payloadHash = sha256(payload);
  metadata.set("x-amz-date", stamp);
  metadata.set("x-amz-content-sha256", payloadHash);
  if (credentials.sessionToken) metadata.set("x-amz-security-token", credentials.sessionToken);

  // What is signed: the host, and everything that Reeve acts on. Several values of a name are joined by commas.
  const signed = new Map([["host", authority]]);
  for (const name of Object.keys(metadata.getMap())) {
    if (/^(x-amz|reeve)-/.test(name)) {
      signed.set(name, metadata.get(name).map((value) => value.trim().replace(/\s+/g, " ")).join(","));
    }
  }
  const sorted = [...signed.keys()].sort();
  const names = sorted.join(";");
  const headers = sorted.map((name) => `${name}:${signed.get(name)}\n`).join("");
  const canonical = `POST\n${path}\n\n${headers}\n${names}\n${payloadHash}`;

  const scope = [stamp.slice(0, 8), region, scopeService(path), "aws4_request"];
  const toSign = [ALGORITHM, stamp, scope.join("/"), sha256(canonical)].join("\n");
  const key = scope.reduce(hmac, `AWS4${credentials.secretAccessKey}`);
  const credential = [credentials.accessKeyId, ...scope].join("/");
  const signature = hmac(key, toSign).toString("hex");
  metadata.set(
    "authorization",
    `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  );
}

// `/reeve.iam.v1.UserService/...` is signed for `iam`, `sts` likewise, and the rest for `reeve`.
function scopeService(path) {
  const name = path.split(".")[1];
  return name === "iam" || name === "sts" ? name : "reeve";
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

function hmac(key, text) {
  return createHmac("sha256", key).update(text).digest();
}
