// What the stories of AWS's SDK are told with, here and in ../oidc.
import { readFileSync } from "node:fs";

/** The root credentials, in a file of AWS's format. */
export function rootCredentials(file) {
  const text = readFileSync(file, "utf8");
  const value = (name) => text.match(new RegExp(`${name}\\s*=\\s*(\\S+)`))[1];
  return { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") };
}

export function check(isSo, what) {
  console.log((isSo ? "ok: " : "NOT SO: ") + what);
  if (!isSo) process.exit(1);
}

/** A policy document. */
export const document = (...statements) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
