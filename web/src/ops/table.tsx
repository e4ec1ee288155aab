import type { ComponentChildren } from "preact";
import { Empty } from "../ui/ui.tsx";

// Table is a table on a desk and a list of cards on a phone: each cell carries its column's name for the latter.
export function Table<T>(p: { label: string; columns: string[]; rows: T[]; id: (t: T) => string; cells: (t: T) => ComponentChildren[]; empty: string; icon: string }) {
  if (p.rows.length === 0) return <Empty icon={p.icon}>{p.empty}</Empty>;
  return (
    <table class="table" aria-label={p.label}>
      <thead>
        <tr>
          {p.columns.map((c) => (
            <th key={c} scope="col">
              {c || <span class="hidden">Actions</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {p.rows.map((r) => (
          <tr key={p.id(r)}>
            {p.cells(r).map((c, i) => (
              <td key={p.columns[i]} data-name={p.columns[i]}>
                {c}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
