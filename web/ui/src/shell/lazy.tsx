/* A screen whose code is loaded when it is first opened. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failed, Loading } from "../parts/basic";
import { asApiError } from "../parts/hooks";
import { ApiError } from "../api";

export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [Screen, setScreen] = useState<ComponentType<Props> | null>(() => loaded);
    const [error, setError] = useState<ApiError | null>(null);
    useEffect(() => {
      if (Screen !== null) return;
      load().then(
        (component) => {
          loaded = component;
          setScreen(() => component);
        },
        /* the files of an older build are gone: the page as it is now has the new ones' names */
        (reason: unknown) => setError(asApiError(reason)),
      );
    }, [Screen]);
    if (Screen !== null) return <Screen {...props} />;
    if (error !== null) return <Failed error={error} retry={() => window.location.reload()} />;
    return <Loading />;
  };
}
