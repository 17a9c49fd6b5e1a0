/* Moving one of a list's cards by its handle, with mouse, pen or finger. The keyboard has its own
 * ways; a handle is for pointers only. */
import { useEffect, useRef, useState } from "preact/hooks";

const EDGE_PX = 60;
const SCROLL_PX = 14;

export interface Drag {
  from: number;
  to: number;
}

/* How many of the other cards' middles are above the pointer: the place where it would fall. */
function placeAt(list: HTMLElement, from: number, y: number): number {
  const cards = [...list.querySelectorAll<HTMLElement>("[data-card]")];
  return cards.filter((card, index) => {
    const { top, height } = card.getBoundingClientRect();
    return index !== from && top + height / 2 < y;
  }).length;
}

export function useDrag(onMove: (from: number, to: number) => void) {
  const list = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const moved = useRef(onMove);
  moved.current = onMove;

  const start = (event: PointerEvent, index: number) => {
    if (event.button !== 0 || list.current === null) return;
    event.preventDefault();
    setDrag({ from: index, to: index });
  };

  const from = drag?.from ?? null;
  const latest = useRef(drag);
  latest.current = drag;
  useEffect(() => {
    if (from === null) return undefined;
    const onPointerMove = (event: PointerEvent) => {
      if (list.current === null) return;
      if (event.clientY < EDGE_PX) window.scrollBy(0, -SCROLL_PX);
      if (event.clientY > window.innerHeight - EDGE_PX) window.scrollBy(0, SCROLL_PX);
      const to = placeAt(list.current, from, event.clientY);
      setDrag((old) => (old === null || old.to === to ? old : { from, to }));
    };
    const stop = () => setDrag(null);
    const onPointerUp = () => {
      const last = latest.current;
      stop();
      if (last !== null && last.to !== last.from) moved.current(last.from, last.to);
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") stop();
    };
    window.addEventListener("pointermove", onPointerMove);
    window.addEventListener("pointerup", onPointerUp);
    window.addEventListener("pointercancel", stop);
    window.addEventListener("keydown", onKeyDown);
    return () => {
      window.removeEventListener("pointermove", onPointerMove);
      window.removeEventListener("pointerup", onPointerUp);
      window.removeEventListener("pointercancel", stop);
      window.removeEventListener("keydown", onKeyDown);
    };
  }, [from]);
  return { list, drag, start };
}

/* Where the card that is being moved would fall, seen from one of the others. */
export function dropClass(drag: Drag | null, index: number): string {
  if (drag === null) return "";
  if (drag.from === index) return " is-dragged";
  const place = index > drag.from ? index - 1 : index;
  if (place === drag.to && drag.to < drag.from) return " is-drop-before";
  return place === drag.to - 1 && drag.to > drag.from ? " is-drop-after" : "";
}
