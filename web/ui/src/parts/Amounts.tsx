/* Money as formatMoney gives it: each currency on a line of its own. */
export function Amounts({ of }: { of: string[] }) {
  return (
    <>
      {of.map((amount) => (
        <span key={amount} class="amount">
          {amount}
        </span>
      ))}
    </>
  );
}
