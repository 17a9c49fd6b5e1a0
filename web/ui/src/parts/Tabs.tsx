/* Tabs that are links: each has an address of its own, and back leads to the one before. */
interface Props<Name extends string> {
  label: string;
  tabs: { name: Name; title: string; href: string }[];
  current: Name;
}

export function Tabs<Name extends string>({ label, tabs, current }: Props<Name>) {
  return (
    <nav class="tabs" aria-label={label}>
      <ul>
        {tabs.map((tab) => (
          <li key={tab.name}>
            <a href={tab.href} aria-current={tab.name === current ? "true" : undefined}>
              {tab.title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
