/* Who may do what, what was done in words, and what a share link takes of a report. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunnelDefinition, SharedReport, StageKind } from "../src/api-types";
import { agentOf } from "../src/account/agent";
import { layoutFlow } from "../src/drawing/layout";
import { chosenFunnel } from "../src/funnels/chosen";
import { doneWords, whoWords } from "../src/people/audit";
import { isAtLeast } from "../src/people/rights";
import { sharedFlow } from "../src/share/sharedFlow";
import { sharedQuestion } from "../src/share/sharedQuestion";

test("what was done, in words; what has none is shown as it is", () => {
  assert.equal(doneWords("PATCH /api/v1/sites/{site}", "/api/v1/sites/shop"), "changed the settings");
  const put = "PUT /api/v1/sites/{site}/funnels/{name}";
  assert.equal(doneWords(put, "/api/v1/sites/shop/funnels/Spring/sale"), "saved the funnel Spring/sale");
  assert.equal(doneWords("POST /api/v1/sites/{site}/x", "/api/v1/sites/shop/x"), "POST /api/v1/sites/shop/x");
  assert.deepEqual(["key 12", "ann@b", "key ring@b"].map(whoWords), ["the key 12", "ann@b", "key ring@b"]);
});

test("an owner may what an editor may, and an editor what a viewer may", () => {
  const roles = ["viewer", "editor", "owner"] as const;
  const may = roles.map((role) => roles.filter((needed) => isAtLeast({ role }, needed)).length);
  assert.deepEqual(may, [1, 2, 3]);
});

test("a browser by its User-Agent", () => {
  const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
  assert.deepEqual(agentOf(chrome), { browser: "Chrome", system: "Windows" });
  assert.deepEqual(agentOf(`${chrome} Edg/140.0`), { browser: "Edge", system: "Windows" });
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1";
  assert.deepEqual(agentOf(phone), { browser: "Safari", system: "iPhone" });
  assert.deepEqual(agentOf(""), { browser: null, system: null });
});

const stage = (throughput: number | null) => ({
  name: "s",
  kind: "custom" as StageKind,
  throughput,
  rate_from_first: null,
  rate_from_previous: null,
  value: null,
});
const shared = (...counts: (number | null)[]): SharedReport => ({
  entered: counts[0] ?? null,
  converted: counts.at(-1) ?? null,
  conversion_rate: null,
  stages: counts.map(stage),
  from: null,
  to: null,
  timezone: "UTC",
  as_of: "2026-06-01T00:00:00Z",
});

test("a hidden figure is drawn between its neighbours, and columns never grow", () => {
  const { flow, isHidden } = sharedFlow(shared(100, null, 40, null));
  assert.deepEqual(flow.stages.map(({ throughput }) => throughput), [100, 40, 40, 0]);
  assert.deepEqual(isHidden, [false, true, false, true]);
  assert.deepEqual(flow.stages.map(({ exits }) => exits), [60, 0, 40, 0]);
  const { columns } = layoutFlow(flow, { x: 0, y: 0, width: 800, height: 100 }, 10, 10);
  const heights = columns.map(({ reachedPx }) => Math.round(reachedPx));
  assert.deepEqual(heights, [100, 40, 40, 0]);
  assert.deepEqual(sharedFlow(shared(null, null)).flow.moves, []);
});

test("a link takes one breakdown, no comparison, and no range where its days roll", () => {
  const request = {
    funnel: "Shop",
    from: "2026-06-01",
    to: "2026-07-01",
    bots: "exclude" as const,
    filters: [{ rule: { attribute: "campaign", op: "is", values: ["x"] } }],
    breakdown: [{ attribute: "channel" }, { attribute: "device" }],
    compare: "previous" as const,
    trend: "day" as const,
    query_id: "q",
  };
  const { filters, bots } = request;
  const fixed = { funnel: "Shop", from: "2026-06-01", to: "2026-07-01", bots, filters, breakdown: [{ attribute: "channel" }] };
  assert.deepEqual(sharedQuestion(request, false), fixed);
  assert.deepEqual(sharedQuestion(request, true), { funnel: "Shop", bots, filters, breakdown: [{ attribute: "channel" }] });
});

test("the funnel: asked for, chosen by the site, one of sales, the first; none where none is asked for", () => {
  const saved = (name: string, ...kinds: StageKind[]) => {
    const stages = kinds.map((kind) => ({ name: kind, kind, rule: { all: [] } }));
    const definition: FunnelDefinition = { name, stages };
    return { name, version: 1, updated: "", author: "", note: "", definition };
  };
  const list = [saved("A", "trace", "custom"), saved("B", "trace", "response", "sale"), saved("C", "trace", "sale")];
  const name = (asked: string | null, funnel: string, funnels = list) => chosenFunnel(asked, { funnel }, funnels)?.name;
  assert.equal(name("A", "C"), "A");
  assert.equal(name("gone", "C"), "C");
  assert.equal(name(null, ""), "B");
  assert.equal(name(null, "gone", list.slice(0, 1)), "A");
  assert.equal(name("", "C"), undefined);
  assert.equal(name(null, "", []), undefined);
});
