/* Who is looking, and at which screen. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { api, setSignedOutHandler, type ApiError } from "./api";
import type { Session, Site } from "./api-types";
import { InsecurePage } from "./account/InsecurePage";
import { SetupPage } from "./account/SetupPage";
import { SignInPage } from "./account/SignInPage";
import { EditorPage } from "./editor/EditorPage";
import { NewFunnelPage } from "./editor/NewFunnelPage";
import { Await, Failed, Loading } from "./parts/basic";
import { asApiError, useLoaded, useTitle } from "./parts/hooks";
import { ReportPage } from "./report/ReportPage";
import { link, navigate, useRoute, type Route } from "./router";
import { PARTS } from "./sites/screens";
import { SitePage } from "./sites/SitePage";
import { SitesPage } from "./sites/SitesPage";
import { text } from "./text";

export function App() {
  const route = useRoute();
  const [session, setSession] = useState<Session | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const refresh = useCallback(() => {
    setError(null);
    api.session().then(setSession, (reason: unknown) => setError(asApiError(reason)));
  }, []);
  useEffect(() => {
    setSignedOutHandler(refresh);
    refresh();
  }, [refresh]);

  if (session === null)
    return (
      <main class="door">
        {error === null ? <Loading /> : <Failed error={error} retry={refresh} />}
      </main>
    );
  return <Screen route={route} session={session} onSession={setSession} />;
}

interface ScreenProps {
  route: Route;
  session: Session;
  onSession: (session: Session) => void;
}

function Screen({ route, session, onSession }: ScreenProps) {
  if (session.insecure) return <InsecurePage />;
  if (session.account === null) {
    if (session.setup)
      return (
        <SetupPage
          token={route.screen === "setup" ? route.token : ""}
          onDone={(next) => {
            navigate(link.sites(), { replace: true });
            onSession(next);
          }}
        />
      );
    return (
      <SignInPage
        wasSetup={route.screen === "setup"}
        onDone={(next) => {
          if (route.screen === "setup") navigate(link.sites(), { replace: true });
          onSession(next);
        }}
      />
    );
  }
  return (
    <>
      <a class="skip-link" href="#content">
        {text.common.skipToContent}
      </a>
      <TopBar route={route} session={session} onSession={onSession} />
      <main id="content" tabIndex={-1}>
        <Content route={route} session={session} />
      </main>
    </>
  );
}

function TopBar({ route, session, onSession }: ScreenProps) {
  const site = "site" in route ? route.site : null;
  const funnel = "funnel" in route ? route.funnel : null;
  const signOut = () => {
    const done = () => onSession({ ...session, account: null });
    api.signOut().then(done, done);
  };
  return (
    <header class="topbar">
      <a class="brand" href={link.sites()}>
        <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="7" fill="#2f54d0" />
          <path d="M7 8h18l-6.5 8.5V25l-5-3v-5.500z" fill="#fff" />
        </svg>
        {text.product}
      </a>
      <nav aria-label={text.common.breadcrumb} class="crumbs">
        <ol>
          <li>
            <a href={link.sites()}>{text.sites.title}</a>
          </li>
          {site !== null && (
            <li>
              <a href={link.site(site)}>{site}</a>
            </li>
          )}
          {site !== null && funnel !== null && (
            <li>
              <a href={link.report(site, funnel)}>{funnel}</a>
            </li>
          )}
        </ol>
      </nav>
      <div class="topbar-account">
        <span class="topbar-email">{session.account?.email}</span>
        <button type="button" class="button is-quiet" onClick={signOut}>
          {text.account.signOut}
        </button>
      </div>
    </header>
  );
}

function Content({ route, session }: { route: Route; session: Session }) {
  if (route.screen === "sites" || route.screen === "setup") return <SitesPage />;
  if (route.screen === "unknown") return <NotFound />;
  return (
    <WithSite key={route.site} name={route.site}>
      {(site) => {
        if (route.screen === "site") return <SitePage site={site} demo={session.demo} />;
        if (route.screen === "new-funnel")
          return <NewFunnelPage site={site} template={route.template} />;
        if (route.screen === "part") {
          const Part = PARTS.find((part) => part.path === route.path)?.show ?? NotFound;
          return <Part site={site} session={session} rest={route.rest} query={route.query} />;
        }
        const key = `${route.screen}/${route.funnel}`;
        if (route.screen === "editor")
          return <EditorPage key={key} site={site} funnel={route.funnel} />;
        return (
          <ReportPage
            key={key}
            site={site}
            funnel={route.funnel}
            query={route.query}
            demo={session.demo}
          />
        );
      }}
    </WithSite>
  );
}

/* The site that the address names; there is no request for one site, the list is short. */
function WithSite({
  name,
  children,
}: {
  name: string;
  children: (site: Site) => preact.ComponentChildren;
}) {
  const loaded = useLoaded((signal) => api.sites(signal), name);
  return (
    <Await loaded={loaded}>
      {(sites) => {
        const site = sites.find((candidate) => candidate.name === name);
        return site === undefined ? <NotFound /> : children(site);
      }}
    </Await>
  );
}

function NotFound() {
  useTitle("");
  return (
    <div class="empty">
      <h1>{text.common.notFound}</h1>
      <p>
        <a href={link.sites()}>{text.common.backToSites}</a>
      </p>
    </div>
  );
}
