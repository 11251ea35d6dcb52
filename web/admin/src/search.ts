/** The last search, in memory only and gone with the login. */

import { createContext, useContext } from 'react';
import type { Search } from './players';

export type KeptSearch = [search: Search | null, set: (search: Search | null) => void];

export const SearchContext = createContext<KeptSearch>([null, () => undefined]);

export function useSearch(): KeptSearch {
  return useContext(SearchContext);
}
