/* Who is looking, and at which screen. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { api, setSignedOutHandler, type ApiError } from "./api";
import type { Session, Site } from "./api-types";
import { InsecurePage } from "./account/InsecurePage";
import { SetupPage } from "./account/SetupPage";
import { SignInPage } from "./account/SignInPage";
import { Await, Failed, Loading } from "./parts/basic";
import { asApiError, useLoaded } from "./parts/hooks";
import { link, navigate, useRoute, type Route } from "./router";
import { screenOf } from "./screens";
import { lazy } from "./shell/lazy";
import { SiteNav } from "./shell/SiteNav";
import { NotFound } from "./parts/NotFound";
import { SitesPage } from "./sites/SitesPage";
import { text } from "./text";

const AccountPage = lazy(() => import("./account/AccountPage").then((file) => file.AccountPage));
const InvitePage = lazy(() => import("./account/InvitePage").then((file) => file.InvitePage));
const SharePage = lazy(() => import("./share/SharePage").then((file) => file.SharePage));

/* A shared report is for whoever has its link: who is signed in does not matter there. */
export function App() {
  const route = useRoute();
  return route.screen === "share" ? <SharePage /> : <SignedIn route={route} />;
}

function SignedIn({ route }: { route: Route }) {
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
  if (route.screen === "invite") return <InvitePage session={session} onDone={onSession} />;
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
      {route.screen === "site" && (
        <SiteNav site={route.site} current={route.path} query={route.query} />
      )}
      <main id="content" tabIndex={-1}>
        <Content route={route} session={session} />
      </main>
    </>
  );
}

function TopBar({ route, session, onSession }: ScreenProps) {
  const site = route.screen === "site" ? route.site : null;
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
        </ol>
      </nav>
      <div class="topbar-account">
        <a
          class="topbar-email"
          href={link.account()}
          aria-current={route.screen === "account" ? "page" : undefined}
        >
          {session.account?.email}
        </a>
        <button type="button" class="button is-quiet" onClick={signOut}>
          {text.account.signOut}
        </button>
      </div>
    </header>
  );
}

function Content({ route, session }: { route: Route; session: Session }) {
  if (route.screen === "sites" || route.screen === "setup") return <SitesPage session={session} />;
  if (route.screen === "account") return <AccountPage session={session} />;
  const screen = route.screen === "site" ? screenOf(route.path) : undefined;
  if (route.screen !== "site" || screen === undefined) return <NotFound />;
  const { show: Show } = screen;
  return (
    <WithSite key={route.site} name={route.site}>
      {(site) => (
        <Show key={screen.path} site={site} session={session} rest={route.rest} query={route.query} />
      )}
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
