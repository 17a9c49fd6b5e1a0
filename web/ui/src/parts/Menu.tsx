/* A button that opens a panel below itself. The panel closes with Escape, by a press elsewhere, and
 * when the keyboard leaves it. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

interface Props {
  label: ComponentChildren;
  /* where the label does not say it all */
  name?: string | undefined;
  /* of the button */
  class?: string;
  /* opens by itself when it is first shown, as a chip that was just begun */
  startsOpen?: boolean;
  onClose?: () => void;
  children: (close: () => void) => ComponentChildren;
}

const EDGE_PX = 8;

export function Menu({ label, name, class: kind = "button", startsOpen = false, onClose, children }: Props) {
  const id = `menu${useId()}`;
  const root = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(startsOpen);
  const closed = useRef(onClose);
  closed.current = onClose;

  const close = () => {
    setOpen(false);
    closed.current?.();
  };
  const closeAndReturn = () => {
    button.current?.focus();
    close();
  };

  useEffect(() => {
    if (!isOpen) return undefined;
    const onPress = (event: PointerEvent) => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) close();
    };
    document.addEventListener("pointerdown", onPress);
    return () => document.removeEventListener("pointerdown", onPress);
  }, [isOpen]);
  useLayoutEffect(() => {
    if (!isOpen || panel.current === null) return;
    const first = panel.current.querySelector<HTMLElement>("input, select, button, a[href]");
    first?.focus({ preventScroll: true });
  }, [isOpen]);
  /* after every rendering: what is chosen in it may move the button */
  useLayoutEffect(() => {
    if (panel.current !== null) keepInside(panel.current);
  });

  return (
    <span
      class="menu"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen || event.defaultPrevented) return;
        event.preventDefault();
        closeAndReturn();
      }}
      onFocusOut={(event) => {
        const next = event.relatedTarget;
        if (isOpen && next instanceof Node && root.current?.contains(next) !== true) close();
      }}
    >
      <button
        type="button"
        ref={button}
        class={kind}
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        aria-label={name}
        onClick={() => (isOpen ? close() : setOpen(true))}
      >
        {label}
      </button>
      {isOpen && (
        <div class="menu-panel" id={id} ref={panel} role="group" aria-label={name}>
          {children(closeAndReturn)}
        </div>
      )}
    </span>
  );
}

/* Moves the panel to the left as far as it would stick out on the right. */
function keepInside(panel: HTMLElement): void {
  panel.style.removeProperty("margin-left");
  const { left, right } = panel.getBoundingClientRect();
  const extra = right - (document.documentElement.clientWidth - EDGE_PX);
  const shift = Math.min(extra, left - EDGE_PX);
  if (shift > 0) panel.style.setProperty("margin-left", `${-Math.ceil(shift)}px`);
}
