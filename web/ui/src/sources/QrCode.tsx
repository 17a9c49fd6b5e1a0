/* The QR code of an address: dark on light in either theme, or scanners do not read it. */
import { useMemo, useRef } from "preact/hooks";
import { SaveChart } from "../charts/SaveChart";
import { LIGHT } from "../drawing/palette";
import { words } from "../words/content";
import { qrOf } from "./qr";

const say = words.qr;
const SIDE_PX = 200;

export function QrCode({ address, name }: { address: string; name: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const qr = useMemo(() => qrOf(address), [address]);
  if (qr === null) return <p class="hint">{say.tooLong}</p>;
  return (
    <div class="qr">
      <div ref={frame}>
        <svg
          role="img"
          aria-label={say.label(address)}
          width={SIDE_PX}
          height={SIDE_PX}
          viewBox={`0 0 ${SIDE_PX} ${SIDE_PX}`}
          shape-rendering="crispEdges"
        >
          <g transform={`scale(${SIDE_PX / qr.size})`}>
            <rect width={qr.size} height={qr.size} fill={LIGHT.surface} />
            <path d={qr.path} fill="#000000" />
          </g>
        </svg>
      </div>
      <SaveChart frame={frame} name={name} background={LIGHT.surface} />
    </div>
  );
}
