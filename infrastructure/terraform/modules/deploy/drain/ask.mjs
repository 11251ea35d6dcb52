// @ts-check
// Runs inside the VPC, where the servers are, and may do nothing in AWS: it asks the addresses that it is given.

import { askAll } from './drain.mjs';

/** @param {{addresses: string[], port: number, token: string}} event */
export const handler = ({ addresses, port, token }) => askAll(addresses, port, token);
