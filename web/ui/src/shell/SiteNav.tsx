/* From screen to screen of a site; the question that is asked goes along. */
import { sharedQuery } from "../ask/question";
import { link } from "../router";
import { SCREENS } from "../screens";
import { text } from "../text";

interface Props {
  site: string;
  /* the path of the screen that is shown */
  current: string;
  query: string;
}

export function SiteNav({ site, current, query }: Props) {
  return (
    <nav class="site-nav" aria-label={text.screens.label(site)}>
      <ul>
        {SCREENS.map((screen, index) => {
          const isCurrent = screen.path === current || (current === "" && index === 0);
          return (
            <li key={screen.path}>
              <a
                href={link.screen(site, screen.path) + sharedQuery(query)}
                aria-current={isCurrent ? "page" : undefined}
              >
                {screen.name}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
