/** Tables. On a narrow screen each row becomes a small card, its cells named by their column. */

import { Fragment, type ReactNode } from 'react';

export interface Column<T> {
  name: string;
  /** Numbers stand on the right. */
  isNumber?: boolean;
  /** The cell that names the row. */
  isHead?: boolean;
  cell: (row: T) => ReactNode;
}

interface TableProps<T> {
  /** Read to whoever does not see the heading above it. */
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string | number;
  /** Shown instead of a table without rows. */
  empty: string;
  /** A second line below a row, over its whole width. */
  below?: (row: T) => ReactNode;
  isMarked?: (row: T) => boolean;
}

export function Table<T>({ caption, columns, rows, keyOf, empty, below, isMarked }: TableProps<T>) {
  if (rows.length === 0) return <p className="quiet empty">{empty}</p>;
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" data-number={column.isNumber}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const more = below?.(row) ?? null;
            return (
              <Fragment key={keyOf(row)}>
                <tr data-marked={isMarked?.(row)}>
                  {columns.map((column) => {
                    const Cell = column.isHead === true ? 'th' : 'td';
                    return (
                      <Cell key={column.name} {...(column.isHead === true ? { scope: 'row' } : {})} data-name={column.name} data-number={column.isNumber}>
                        {column.cell(row)}
                      </Cell>
                    );
                  })}
                </tr>
                {more !== null && (
                  <tr className="below">
                    <td colSpan={columns.length}>{more}</td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Names and values, for what is no list. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
