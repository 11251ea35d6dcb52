import { describe, expect, it } from 'vitest';
import { Account } from '../account';
import type { Auth } from '../auth';
import type { Send } from '../http';

/** Answers by path, and what was asked. */
function accountOf(answers: Record<string, { body: string; name: string }>): { account: Account; asked: string[] } {
  const asked: string[] = [];
  const send: Send = async (method, path, ask) => {
    asked.push(`${method} ${path} ${ask?.token ?? ''} ${JSON.stringify(ask?.json ?? null)}`);
    const answer = answers[path];
    if (answer === undefined) throw new Error(`nobody answers ${path}`);
    return new Response(answer.body, { headers: { 'content-disposition': `attachment; filename="${answer.name}"` } });
  };
  const auth = { authorised: async (call: (credential: { token: string }) => unknown) => call({ token: 'token' }) };
  return { account: new Account(send, auth as unknown as Auth), asked };
}

async function exported(account: Account): Promise<string[][]> {
  const files: string[][] = [];
  for await (const file of account.exportJson()) files.push([file.name, await file.text()]);
  return files;
}

describe('own data', () => {
  const whole = '{"journal":{"events":[],"next_seq":null}}\n';

  it('comes in one file under the name that the server gave it', async () => {
    const { account, asked } = accountOf({ '/v1/me/export.json': { body: whole, name: 'dopamine-hero-2027-01-15.json' } });
    expect(await exported(account)).toEqual([['dopamine-hero-2027-01-15.json', whole]]);
    expect(asked).toEqual(['GET /v1/me/export.json token null']);
  });

  it('goes on where a long one was cut, in a file of its own', async () => {
    // What a player wrote is not what the document says at its end.
    const first = `{"title":"\\"next_seq\\":9}}","journal":{"events":[],"next_seq":50001}}\n`;
    const { account } = accountOf({
      '/v1/me/export.json': { body: first, name: 'all.json' },
      '/v1/me/export.json?from_seq=50001': { body: whole, name: 'all.json' },
    });
    expect(await exported(account)).toEqual([
      ['all.json', first],
      ['all-2.json', whole],
    ]);
  });

  it('a name that is none of ours becomes no path', async () => {
    const { account } = accountOf({ '/v1/me/ledger.csv': { body: 'a,b', name: '../x/y' } });
    expect((await account.ledgerCsv()).name).toBe('dopamine-hero');
  });

  it('says a password only where there is one', async () => {
    const { account, asked } = accountOf({ '/v1/me': { body: '{"erase_at_ms":5}', name: '' } });
    expect([await account.erase('violet kettle'), await account.erase(null)]).toEqual([5, 5]);
    expect(asked).toEqual(['DELETE /v1/me token {"password":"violet kettle"}', 'DELETE /v1/me token {}']);
  });
});
