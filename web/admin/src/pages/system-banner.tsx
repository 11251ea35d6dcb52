/** One line that every connected player sees. */

import { useState } from 'react';
import type { Banner, BannerAsk } from '../api.gen';
import { useApi } from '../context';
import { fromField, moment, toField } from '../format';
import { Effect } from '../parts/effect';
import { Area, Field } from '../parts/field';
import { Panel } from '../parts/page';
import { Time } from '../parts/time';
import { serverNow } from '../server-time';

const TEXT_CHARACTERS_MAX = 200;
const HOUR_MS = 3_600_000;

export function BannerPanel({ banner, onDone }: { banner: Banner | null; onDone: () => void }) {
  const api = useApi();
  const send = async (reason: string, wanted: Banner | null) => {
    const ask: BannerAsk = { reason, banner: wanted };
    await api.post('/v1/banner', ask);
    return wanted === null ? 'Players are told nothing any more.' : 'Every connected player sees it now.';
  };
  return (
    <Panel title="What players are told" about="One calm line on every player’s page, on every server.">
      {banner === null ? (
        <p className="quiet">Nothing.</p>
      ) : (
        <div className="line-up">
          <blockquote data-testid="banner-now">
            {banner.text}
            <p className="quiet">{banner.until_ms === null ? 'Until it is taken back.' : <>Until <Time ms={banner.until_ms} />.</>}</p>
          </blockquote>
          <Effect
            label="Take it back…"
            needs="operator"
            title="Take it back?"
            says={<p>The line disappears from every player’s page.</p>}
            confirm="Take it back"
            run={(reason) => send(reason, null)}
            onDone={onDone}
          />
        </div>
      )}
      <NewBanner isThere={banner !== null} send={send} onDone={onDone} />
    </Panel>
  );
}

interface NewProps {
  isThere: boolean;
  send: (reason: string, banner: Banner) => Promise<string>;
  onDone: () => void;
}

function NewBanner({ isThere, send, onDone }: NewProps) {
  const [text, setText] = useState('');
  const [until, setUntil] = useState('');
  const untilMs = fromField(until);
  const wanted: Banner = { text: text.trim(), until_ms: untilMs };
  const off = wanted.text === '' ? 'Say what first.' : untilMs !== null && untilMs <= serverNow() ? 'It would be over already.' : null;
  return (
    <>
      <Area label={isThere ? 'Something else' : 'Text'} rows={2} maxLength={TEXT_CHARACTERS_MAX} value={text} onChange={setText} hint={`${[...text].length} of ${TEXT_CHARACTERS_MAX} characters. Say when it is over, and that nothing is lost.`} />
      <div className="line-up">
        <Field label="Until" type="datetime-local" value={until} onChange={setUntil} hint={untilMs === null ? 'Empty: until it is taken back' : `in UTC: ${moment(untilMs, 'utc').slice(0, 16)}`} />
        <div className="line-up-buttons">
          <button type="button" onClick={() => setUntil(toField(serverNow() + HOUR_MS))}>
            In an hour
          </button>
          <Effect
            label="Tell players…"
            tone="primary"
            needs="operator"
            off={off}
            title="Tell every player?"
            says={
              <>
                <p>Every connected player sees, at once:</p>
                <blockquote>{wanted.text}</blockquote>
                <p>{untilMs === null ? 'Until you take it back.' : `Until ${moment(untilMs, 'utc')} UTC.`}</p>
              </>
            }
            confirm="Tell them"
            run={async (reason) => {
              const words = await send(reason, wanted);
              setText('');
              setUntil('');
              return words;
            }}
            onDone={onDone}
          />
        </div>
      </div>
    </>
  );
}
