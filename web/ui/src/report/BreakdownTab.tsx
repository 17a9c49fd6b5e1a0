/* The report by one or two attributes: a table of small funnels, and the same as drawings. */
import { useMemo } from "preact/hooks";
import { api } from "../api";
import type { Attribute, AttributeClass, Breakdown, BreakdownRow, Report } from "../api-types";
import { byUse } from "../ask/filter";
import { capital } from "../ask/words";
import { MiniFunnel } from "../drawing/MiniFunnel";
import { typeOf } from "../editor/operators";
import { formatCount, formatMoney, formatShare, shareOf } from "../format";
import { useLoaded } from "../parts/hooks";
import { attributeName } from "../ruleWords";
import { FEW_VISITORS, interval } from "../stats";
import { Amounts } from "../parts/Amounts";
import { text } from "../text";
import { flowOfRow, rowFilters, rowName, sumOf } from "./rows";
import { ROWS, type ReportState } from "./state";
import type { View } from "./view";

interface Props {
  view: View;
  report: Report;
  onState: (change: Partial<ReportState>) => void;
}

const QUICK = ["channel", "campaign", "region", "device", "product", "keyword"];
const SMALL_MAX = 12;

export function BreakdownTab({ view, report, onState }: Props) {
  const { by } = view.state;
  const words = text.report.breakdown;
  const rows = report.breakdown;
  return (
    <section class="panel" aria-label={text.report.tabs.breakdown}>
      <Choice view={view} report={report} onState={onState} />
      {by.length === 0 && (
        <>
          <p class="hint">{words.choose}</p>
          <ul class="quick">
            {QUICK.map((attribute) => (
              <li key={attribute}>
                <a class="button" href={view.hrefOf({ by: [{ attribute }] })}>
                  {capital(attributeName(attribute))}
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
      {by.length > 0 && rows !== undefined && (
        <>
          <RowTable view={view} report={report} rows={rows} />
          <h2>{words.small}</h2>
          <p class="hint">{words.smallTitle}</p>
          <Small view={view} rows={rows.slice(0, SMALL_MAX)} />
        </>
      )}
    </section>
  );
}

/* One attribute, then perhaps another; where each is taken from; bins of a number. */
function Choice({ view, report, onState }: Props) {
  const words = text.report.breakdown;
  const { by, rows } = view.state;
  const loaded = useLoaded(() => api.attributes(view.site.name), view.site.name);
  const attributes = loaded.state === "ready" ? loaded.value : [];
  const setAt = (index: number, next: Breakdown | null) => {
    const changed = [...by];
    if (next === null) changed.splice(index, 1);
    else changed[index] = next;
    onState({ by: changed });
  };
  const stages = report.stages.map((stage) => stage.name);
  return (
    <div class="tab-bar">
      {[0, 1].slice(0, by.length === 0 ? 1 : 2).map((index) => (
        <OneChoice
          key={index}
          label={index === 0 ? words.by : words.and}
          chosen={by[index] ?? null}
          attributes={attributes}
          stages={stages}
          onChange={(next) => setAt(index, next)}
        />
      ))}
      {by.length > 0 && (
        <label class="inline-field">
          {words.rows}
          <select
            value={String(rows)}
            onChange={(event) => {
              const wanted = ROWS.find((count) => String(count) === event.currentTarget.value);
              onState({ rows: wanted ?? ROWS[0] });
            }}
          >
            {ROWS.map((count) => (
              <option key={count} value={String(count)}>
                {formatCount(count)}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

const CLASSES: AttributeClass[] = ["driver", "surroundings", "event"];

interface ChoiceProps {
  label: string;
  chosen: Breakdown | null;
  attributes: Attribute[];
  stages: string[];
  onChange: (breakdown: Breakdown | null) => void;
}

function OneChoice({ label, chosen, attributes, stages, onChange }: ChoiceProps) {
  const words = text.report.breakdown;
  const known = byUse(attributes);
  const isNumber = chosen !== null && typeOf(chosen.attribute, attributes) === "number";
  return (
    <span class="breakdown-choice">
      <label class="inline-field">
        {label}
        <select
          value={chosen?.attribute ?? ""}
          onChange={(event) => {
            const attribute = event.currentTarget.value;
            onChange(attribute === "" ? null : { attribute });
          }}
        >
          <option value="">{words.none}</option>
          {chosen !== null && !known.some(({ name }) => name === chosen.attribute) && (
            <option value={chosen.attribute}>{attributeName(chosen.attribute)}</option>
          )}
          {CLASSES.map((group) => (
            <optgroup key={group} label={text.rule.classes[group]}>
              {known
                .filter((attribute) => attribute.class === group)
                .map(({ name }) => (
                  <option key={name} value={name}>
                    {attributeName(name)}
                  </option>
                ))}
            </optgroup>
          ))}
        </select>
      </label>
      {chosen !== null && (
        <select
          aria-label={words.place}
          value={String(chosen.at ?? "entry")}
          onChange={(event) => {
            const { value } = event.currentTarget;
            const at = value === "entry" || value === "first" || value === "last" ? value : Number(value);
            onChange({ ...chosen, at });
          }}
        >
          {(["entry", "first", "last"] as const).map((place) => (
            <option key={place} value={place}>
              {words.places[place]}
            </option>
          ))}
          {stages.map((stage, index) => (
            <option key={index} value={String(index + 1)}>
              {text.report.stageNumber(index + 1, stage)}
            </option>
          ))}
        </select>
      )}
      {isNumber && (
        <label class="inline-field">
          {words.bins}
          <input
            inputMode="decimal"
            title={words.binsHint}
            placeholder="10, 50, 100"
            size={12}
            value={(chosen.bins ?? []).join(", ")}
            onChange={(event) => {
              const given = event.currentTarget.value.split(/[,;\s]+/).filter((part) => part !== "");
              const bins = [...new Set(given.map(Number).filter(Number.isFinite))].sort((a, b) => a - b);
              const { attribute, at = "entry" } = chosen;
              onChange(bins.length === 0 ? { attribute, at } : { attribute, at, bins });
            }}
          />
        </label>
      )}
    </span>
  );
}

function RowTable({ view, report, rows }: { view: View; report: Report; rows: BreakdownRow[] }) {
  const words = text.report.breakdown;
  const { by } = view.state;
  const name = by.map(({ attribute }) => attributeName(attribute)).join(text.common.joins.comma);
  const sum = sumOf(rows);
  const isTotal = sum.entered === report.entered && sum.converted === report.converted;
  const hasBefore = report.compare?.breakdown !== undefined;
  const hasValue = rows.some((row) => formatMoney(row.stages.at(-1)?.value).length > 0);
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={words.caption(name)}>
      <table class="breakdown">
        <caption class="visually-hidden">{words.caption(name)}</caption>
        <thead>
          <tr>
            {by.map((one) => (
              <th scope="col" key={one.attribute} class="is-text">
                {capital(attributeName(one.attribute))}
              </th>
            ))}
            <th scope="col">
              <span class="visually-hidden">{words.funnel}</span>
            </th>
            <th scope="col">{words.entered}</th>
            <th scope="col">{words.share}</th>
            {report.stages.slice(1, -1).map((stage, index) => (
              <th scope="col" key={index}>
                {stage.name}
              </th>
            ))}
            <th scope="col">{report.stages.at(-1)?.name ?? words.converted}</th>
            <th scope="col">{words.rate}</th>
            <th scope="col">{words.interval}</th>
            {hasBefore && <th scope="col">{words.before}</th>}
            {hasValue && <th scope="col">{words.value}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <Row key={index} view={view} report={report} row={row} index={index} hasValue={hasValue} />
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" colSpan={by.length}>
              {isTotal ? words.sum : words.sumWrong}
            </th>
            <td />
            <td>{formatCount(sum.entered)}</td>
            <td>{formatShare(shareOf(sum.entered, report.entered))}</td>
            {report.stages.slice(1, -1).map((_, index) => (
              <td key={index}>
                {formatCount(rows.reduce((total, row) => total + (row.stages[index + 1]?.throughput ?? 0), 0))}
              </td>
            ))}
            <td>{formatCount(sum.converted)}</td>
            <td>{formatShare(shareOf(sum.converted, sum.entered))}</td>
            <td />
            {hasBefore && <td>{formatShare(report.compare?.conversion_rate ?? null)}</td>}
            {hasValue && <td><Amounts of={formatMoney(report.stages.at(-1)?.value)} /></td>}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

interface RowProps {
  view: View;
  report: Report;
  row: BreakdownRow;
  index: number;
  hasValue: boolean;
}

function Row({ view, report, row, index, hasValue }: RowProps) {
  const words = text.report.breakdown;
  const { by } = view.state;
  const filters = rowFilters(row, by, view.question.filters);
  const names = row.other === true ? [words.other(view.state.rows)] : rowName(row, by);
  const to = (change: Partial<ReportState>) =>
    filters === null ? null : view.hrefOf(change, { ...view.question, filters });
  const linked = (count: number, figure: "throughput" | "converted", stage: number | null) => {
    const href = to({ tab: "visitors", opened: { figure, stage } });
    return href === null || count === 0 ? formatCount(count) : <a class="figure-link" href={href}>{formatCount(count)}</a>;
  };
  const sure = interval(row.converted, row.entered);
  const isFew = row.entered < FEW_VISITORS;
  const before = report.compare?.breakdown?.[index];
  const alone = to({ tab: "breakdown" });
  return (
    <tr class={isFew ? "is-few" : ""} title={isFew ? words.few(FEW_VISITORS) : undefined}>
      {names.map((name, at) => (
        <th scope="row" key={at} colSpan={row.other === true ? by.length : 1}>
          {at === 0 && alone !== null ? (
            <a href={to({ tab: "stages" }) ?? ""} title={words.filterTo(names.join(text.common.joins.comma))}>
              {name}
            </a>
          ) : (
            name
          )}
        </th>
      ))}
      <td>
        <MiniFunnel report={flowOfRow(row)} height={22} />
      </td>
      <td>{linked(row.entered, "throughput", 1)}</td>
      <td>{formatShare(shareOf(row.entered, report.entered))}</td>
      {row.stages.slice(1, -1).map((stage, at) => (
        <td key={at}>{linked(stage.throughput, "throughput", at + 2)}</td>
      ))}
      <td>{linked(row.converted, "converted", null)}</td>
      <td class="row-rate">{formatShare(shareOf(row.converted, row.entered))}</td>
      <td class="row-sure">{sure === null ? "" : `${formatShare(sure.low)} – ${formatShare(sure.high)}`}</td>
      {report.compare?.breakdown !== undefined && (
        <td>{before === undefined ? "" : formatShare(shareOf(before.converted, before.entered))}</td>
      )}
      {hasValue && (
        <td><Amounts of={formatMoney(row.stages.at(-1)?.value)} /></td>
      )}
    </tr>
  );
}

/* Small multiples. */
function Small({ view, rows }: { view: View; rows: BreakdownRow[] }) {
  const words = text.report.breakdown;
  const { by, rows: limit } = view.state;
  const items = useMemo(
    () =>
      rows.map((row) => ({
        row,
        name: row.other === true ? words.other(limit) : rowName(row, by).join(text.common.joins.comma),
        filters: rowFilters(row, by, view.question.filters),
      })),
    [rows, by, limit, view.question],
  );
  return (
    <ul class="small-multiples">
      {items.map(({ row, name, filters }) => {
        const drawn = (
          <>
            <span class="small-name">{name}</span>
            <MiniFunnel report={flowOfRow(row)} height={86} step={30} label={words.smallLabel(name, row.entered, row.converted)} />
            <span class="row-sub">
              <strong>{formatShare(shareOf(row.converted, row.entered))}</strong> {words.of(row.converted, row.entered)}
            </span>
          </>
        );
        return (
          <li key={name} class={row.entered < FEW_VISITORS ? "is-few" : ""}>
            {filters === null ? (
              <span class="small-one">{drawn}</span>
            ) : (
              <a class="small-one" href={view.hrefOf({ tab: "stages" }, { ...view.question, filters })}>
                {drawn}
              </a>
            )}
          </li>
        );
      })}
    </ul>
  );
}
