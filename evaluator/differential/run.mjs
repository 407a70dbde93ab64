// Reeve beside an outside evaluator, each a process of its own, on random questions:
//
//     node evaluator/differential/run.mjs [--cases 2000] [--seed 1] [--reeve target/release/reeve] [--show 3]
//
// The outside one, @cloud-copilot/iam-simulate, is installed into target/differential. It is AGPL and never a dependency.
// Both are asked what they decide and what they make of each statement. Where they differ, differences.mjs must say why,
// from AWS's text; a difference that it cannot explain is printed, and ends with status 1.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ofDecision, ofStatement, REASONS } from './differences.mjs';
import { Generator } from './generate.mjs';

const SIMULATOR = '@cloud-copilot/iam-simulate@0.1.173';
const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const target = path.join(root, 'target/differential');
const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    reeve: { type: 'string', default: path.join(root, 'target/release/reeve') },
    show: { type: 'string', default: '3' },
  },
});

function install() {
  if (fs.existsSync(path.join(target, 'node_modules/@cloud-copilot/iam-simulate'))) return;
  fs.mkdirSync(target, { recursive: true });
  const arguments_ = ['install', '--silent', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', target, SIMULATOR];
  if (spawnSync('npm', arguments_, { stdio: 'inherit' }).status !== 0) throw new Error(`npm did not install ${SIMULATOR}`);
}

/** A process that answers each line with one. */
class Answerer {
  constructor(command, ...arguments_) {
    this.process = spawn(command, arguments_, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.answers = readline.createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }
  ask(lines) { this.process.stdin.write(lines.map((line) => `${JSON.stringify(line)}\n`).join('')); }
  async answer() {
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`${this.process.spawnfile} ended early`);
    return JSON.parse(value);
  }
  end() { this.process.stdin.end(); }
}

/** The statements of a line by policy and place, as the explanation of `reeve decide` names them. */
function statementsOf(line) {
  const found = new Map();
  const add = (document, policy) => [document.Statement].flat().forEach((statement, at) => found.set(`${policy} ${at}`, { statement, document, policy }));
  for (const kind of ['identity_policies', 'group_policies', 'session_policies']) (line[kind] ?? []).forEach((document, at) => add(document, `${kind}[${at}]`));
  for (const kind of ['service_control_policies', 'resource_control_policies']) {
    (line[kind] ?? []).forEach((level, n) => level.forEach((document, at) => add(document, `${kind}[${n}][${at}]`)));
  }
  for (const kind of ['permissions_boundary', 'resource_policy']) if (line[kind]) add(line[kind], kind);
  return found;
}

/** The simulator takes one session policy: where its statement of that number stands in the line. */
function sessionPlaces(line) {
  return (line.session_policies ?? []).flatMap((document, policy) => [document.Statement].flat().map((_, at) => `session_policies[${policy}] ${at}`));
}

/** Every difference between the answers to a line: what it is about, and why it is there or null. */
function compare(line, ours, theirs) {
  if (ours.decision === 'error' || theirs.decision === 'error') return [{ what: `error ${ours.error ?? theirs.error}`, why: null }];
  const known = statementsOf(line);
  const sessions = sessionPlaces(line);
  const outcomes = new Map(ours.reasons.map((reason) => [`${reason.policy} ${reason.index}`, reason]));
  const differences = [];
  for (const [policy, index, action, resource, condition, principal] of theirs.statements) {
    const place = policy === 'session_policies' ? sessions[index] : `${policy} ${index}`;
    const outcome = outcomes.get(place)?.outcome;
    if ((outcome === 'matched') === (action && resource && condition && principal)) continue;
    const found = { ...known.get(place), outcome, theirs: { action, resource, condition, principal } };
    const what = `${place}: we say ${outcome}, they ${JSON.stringify(found.theirs)}, of ${JSON.stringify(found.statement)}`;
    differences.push({ what, why: ofStatement(line, found) });
  }
  if (ours.decision !== theirs.decision) {
    // Once a statement is read differently the decisions need not meet.
    const why = differences.length > 0 ? 'follows' : ofDecision(line, ours, theirs);
    differences.push({ what: `decision: we say ${ours.decision} by ${ours.layer}, they ${theirs.decision}`, why });
  }
  return differences;
}

async function main() {
  install();
  const generator = new Generator(Number(options.seed));
  const ours = new Answerer(options.reeve, 'decide', '--explain');
  const theirs = new Answerer(process.execPath, path.join(here, 'simulator.mjs'), target);
  const cases = Number(options.cases);
  const counts = new Map();
  const decisions = new Map();
  let unexplained = 0;
  for (let at = 0; at < cases; at += 200) {
    const lines = Array.from({ length: Math.min(200, cases - at) }, (_, n) => generator.line(at + n));
    ours.ask(lines);
    theirs.ask(lines);
    for (const line of lines) {
      const answer = await ours.answer();
      const other = await theirs.answer();
      decisions.set(answer.decision, (decisions.get(answer.decision) ?? 0) + 1);
      for (const { what, why } of compare(line, answer, other)) {
        counts.set(why, (counts.get(why) ?? 0) + 1);
        if (why === null && (unexplained += 1) <= Number(options.show)) console.log(`unexplained: ${what}\n${options.lines ? JSON.stringify(line) : JSON.stringify(line.request)}`);
      }
    }
  }
  ours.end();
  theirs.end();
  console.log(`${cases} cases of seed ${options.seed}: ${[...decisions].map(([name, count]) => `${count} ${name}`).join(', ')}`);
  for (const [why, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(7)} ${why}: ${REASONS[why] ?? 'not explained'}`);
  return unexplained === 0 ? 0 : 1;
}

process.exitCode = await main();
