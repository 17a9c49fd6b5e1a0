/* How fresh the figures are, and how collectors, Redis, disk and backup do. */
import type { ComponentChildren } from "preact";
import type { Health, HealthCollector } from "../api-types";
import { formatBytes, formatDuration, formatMoment } from "../format";
import { words } from "../words/health";

const said = words.machine;
const DAY_MS = 86_400_000;
const BACKUP_OLD_MS = 2 * DAY_MS;
const PLACES_OLD_MS = 100 * DAY_MS;
const FREE_LOW = 2e9;
const WAIT_LONG_MS = 60_000;

export function Machine({ health }: { health: Health }) {
  const { stored, installation: i } = health;
  const age = (moment: string | null) =>
    moment === null ? null : Math.max(1000, Date.parse(health.as_of) - Date.parse(moment));
  const told = (moment: string | null) =>
    moment === null ? said.nothing : said.ago(formatDuration(age(moment)), formatMoment(moment, health.timezone));
  const backupAge = age(i.backup);
  return (
    <section class="panel" aria-labelledby="machine-title">
      <h2 id="machine-title">{said.title}</h2>
      <dl class="health-list">
        <Line name={said.newest}>
          {told(stored.newest)}; {said.events(stored.events)}
        </Line>
        <Line name={said.stored}>
          {told(stored.stored)} <span class="hint">{said.storedHint}</span>
        </Line>
        <Redis health={health} />
        {i.collectors.length === 0 && i.redis.is_there && (
          <Line name={said.collector("")} isFine={false}>
            {said.noCollector}
          </Line>
        )}
        {i.collectors.map((collector) => (
          <Collector key={collector.name} collector={collector} age={age} />
        ))}
        <Line name={said.disk} isFine={i.free_bytes >= FREE_LOW}>
          {said.free(formatBytes(i.free_bytes), formatBytes(i.bytes), i.segments)}
        </Line>
        <Line name={said.backup} isFine={backupAge !== null && backupAge < BACKUP_OLD_MS}>
          {i.backup === null ? said.noBackup : told(i.backup)}
        </Line>
        <Line name={said.damage} isFine={stored.damage.length === 0}>
          {stored.damage.length === 0 ? said.noDamage : stored.damage.map(({ message }) => <p key={message}>{message}</p>)}
        </Line>
        <Line name={said.bad} isFine={i.bad_entries === 0}>
          {i.bad_entries === 0 ? said.noBad : said.badCount(i.bad_entries)}
        </Line>
        <Line name={said.alarms} isFine={i.alarms.length === 0}>
          {i.alarms.length === 0
            ? said.noAlarms
            : i.alarms.map(({ code, message, times, last }) => (
                <p key={code}>
                  <strong>{code}</strong>: {message}{" "}
                  <span class="hint">{last === null ? "" : said.alarm(times, formatMoment(last, health.timezone))}</span>
                </p>
              ))}
        </Line>
      </dl>
    </section>
  );
}

interface LineProps {
  name: string;
  /* left out: nothing can be wrong with it */
  isFine?: boolean;
  children: ComponentChildren;
}

function Line({ name, isFine, children }: LineProps) {
  return (
    <div class={isFine === false ? "is-wrong" : undefined}>
      <dt>
        {isFine !== undefined && (
          <span class="health-mark" role="img" aria-label={isFine ? said.fine : said.look}>
            {isFine ? "✓" : "⚠"}
          </span>
        )}
        {name}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

function Redis({ health }: { health: Health }) {
  const { redis } = health.installation;
  if (!redis.is_there)
    return (
      <Line name={said.redis} isFine={false}>
        {said.redisAway(redis.why)}
      </Line>
    );
  const { entries_waiting: waiting = 0, oldest = null, memory_bytes: used = 0, memory_max_bytes: max = 0 } = redis;
  const wait = oldest === null ? 0 : Math.max(0, Date.parse(health.as_of) - Date.parse(oldest));
  return (
    <Line name={said.redis} isFine={wait < WAIT_LONG_MS}>
      {waiting > 0 ? said.waiting(waiting, formatDuration(Math.max(1000, wait))) : said.redisReady};{" "}
      {max > 0 ? said.memoryOf(formatBytes(used), formatBytes(max)) : said.memory(formatBytes(used))}
    </Line>
  );
}

interface CollectorProps {
  collector: HealthCollector;
  age: (moment: string | null) => number | null;
}

function Collector({ collector, age }: CollectorProps) {
  const { name, state, why, spool_bytes: spool, damaged_records: damaged, places } = collector;
  const placesAge = places === null ? null : age(places.built);
  const isOld = placesAge !== null && placesAge > PLACES_OLD_MS;
  return (
    <Line name={said.collector(name)} isFine={state === "ready" && damaged === 0 && !isOld}>
      {said.states[state]}
      {why !== "" && state !== "ready" && ` (${why})`}; {spool > 0 ? said.spool(formatBytes(spool)) : said.noSpool}
      {damaged > 0 && `; ${said.damaged(damaged)}`};{" "}
      {places === null ? said.noPlaces : said.places(places.type, formatDuration(placesAge))}
      {isOld && ` (${said.placesOld})`}
    </Line>
  );
}
