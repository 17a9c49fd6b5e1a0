/* The settings of a site and who may do what with it, each page at its own address. */
import { NotFound } from "../parts/NotFound";
import { Tabs } from "../parts/Tabs";
import { OnlyFor } from "../people/OnlyFor";
import { link } from "../router";
import type { ScreenProps } from "../screens";
import { lazy } from "../shell/lazy";
import { words } from "../words/people";
import { SettingsPage } from "./SettingsPage";

const PeoplePage = lazy(() => import("../people/PeoplePage").then((file) => file.PeoplePage));
const KeysPage = lazy(() => import("../people/KeysPage").then((file) => file.KeysPage));
const SharesPage = lazy(() => import("../people/SharesPage").then((file) => file.SharesPage));
const AuditPage = lazy(() => import("../people/AuditPage").then((file) => file.AuditPage));

const PAGES = ["site", "people", "keys", "shares", "audit"] as const;

export function SettingsScreen(props: ScreenProps) {
  const { site, rest } = props;
  const current = rest.length === 0 ? "site" : PAGES.find((page) => page === rest[0]);
  if (current === undefined || rest.length > 1) return <NotFound />;
  return (
    <>
      <Tabs
        label={words.tabs.label}
        current={current}
        tabs={PAGES.map((name) => ({
          name,
          title: words.tabs[name],
          href: link.settings(site.name, name === "site" ? "" : name),
        }))}
      />
      <Page {...props} current={current} />
    </>
  );
}

function Page({ site, session, current }: ScreenProps & { current: (typeof PAGES)[number] }) {
  switch (current) {
    case "site":
      return <SettingsPage site={site} />;
    case "people":
      return (
        <OnlyFor site={site} role="owner">
          <PeoplePage site={site} session={session} />
        </OnlyFor>
      );
    case "keys":
      return (
        <OnlyFor site={site} role="owner">
          <KeysPage site={site} />
        </OnlyFor>
      );
    case "shares":
      return (
        <OnlyFor site={site} role="editor">
          <SharesPage site={site} />
        </OnlyFor>
      );
    case "audit":
      return (
        <OnlyFor site={site} role="owner">
          <AuditPage site={site} />
        </OnlyFor>
      );
  }
}
