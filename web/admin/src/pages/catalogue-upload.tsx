/** A new version of the catalogue: from a file or by hand. What is wrong with it is listed by line. */

import { type ChangeEvent, useRef, useState } from 'react';
import type { CatalogueProblem, CatalogueText, CatalogueUpload, CatalogueVersions, UploadedCatalogue } from '../api.gen';
import { Failed } from '../api';
import { useApi } from '../context';
import { bytes, many } from '../format';
import { lineRange, utf8Bytes } from '../text';
import { Effect } from '../parts/effect';
import { useTask } from '../parts/field';
import { Page, Panel } from '../parts/page';
import { Problem } from '../parts/problem';
import { Table } from '../parts/table';
import { go, hrefOf } from '../router';

const TEXT_BYTES_MAX = 256 * 1_024;

export function UploadPage() {
  const api = useApi();
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [problems, setProblems] = useState<CatalogueProblem[] | null>(null);
  const task = useTask();
  const size = utf8Bytes(text);
  const off = text.trim() === '' ? 'There is no text yet.' : size > TEXT_BYTES_MAX ? `The text has ${bytes(size)}; at most ${bytes(TEXT_BYTES_MAX)} are taken.` : null;

  const takeFile = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file === undefined) return;
    void task.run(async () => {
      if (file.size > TEXT_BYTES_MAX) throw new Failed(0, 'too_large', `The file has ${bytes(file.size)}; at most ${bytes(TEXT_BYTES_MAX)} are taken.`);
      setText(await file.text());
      setProblems(null);
    });
  };
  const takeInForce = () =>
    task.run(async () => {
      const { in_force } = await api.get<CatalogueVersions>('/v1/catalogue');
      setText((await api.get<CatalogueText>(`/v1/catalogue/${in_force}`)).text);
      setProblems(null);
    });
  const upload = async (reason: string) => {
    const ask: CatalogueUpload = { reason, text };
    const { body } = await api.post<UploadedCatalogue>('/v1/catalogue', ask, { isLong: true });
    if (body.version === null) {
      setProblems(body.problems);
      return `Not kept: ${many(body.problems.length, 'problem')}. The text is still here.`;
    }
    go({ page: 'version', version: body.version, view: 'dry-run' });
    return `Version ${body.version} is kept; it is not in force.`;
  };
  const show = (line: number) => {
    const element = area.current;
    if (element === null) return;
    const [from, until] = lineRange(text, line);
    element.focus();
    element.setSelectionRange(from, until);
    const height = element.scrollHeight / Math.max(1, text.split('\n').length);
    element.scrollTop = Math.max(0, (line - 4) * height);
  };
  return (
    <Page
      title="Upload a catalogue"
      about="It is checked and kept. It is not in force until you put it in force."
      actions={
        <a className="button" href={hrefOf({ page: 'catalogue' })}>
          All versions
        </a>
      }
    >
      <Panel>
        <div className="line-up">
          <div className="field">
            <label htmlFor="catalogue-file">From a file</label>
            <input id="catalogue-file" type="file" accept=".ron,.txt,text/plain" onChange={takeFile} />
          </div>
          <div className="line-up-buttons">
            <button type="button" aria-disabled={task.isBusy} onClick={() => void takeInForce()}>
              Begin with the one in force
            </button>
          </div>
        </div>
        <Problem problem={task.problem} />
        <div className="field">
          <label htmlFor="catalogue-text">Text</label>
          <textarea
            id="catalogue-text"
            ref={area}
            className="code-block"
            rows={22}
            spellCheck={false}
            wrap="off"
            value={text}
            aria-invalid={problems !== null && problems.length > 0}
            onChange={(event) => setText(event.target.value)}
          />
          <p className="quiet">
            RON, as <code>simulation/catalogue.ron</code>. Raise its <code>version</code>. {bytes(size)} of {bytes(TEXT_BYTES_MAX)}, {many(text === '' ? 0 : text.split('\n').length, 'line')}.
          </p>
        </div>
        <Effect
          label="Check and keep…"
          tone="primary"
          needs="operator"
          off={off}
          title="Keep this text as a new version?"
          says={<p>The text is checked. If it is sound, it is kept under the version that it names; no hero is touched. Otherwise you are told what is wrong, by line.</p>}
          confirm="Check and keep"
          run={upload}
        />
      </Panel>
      {problems !== null && (
        <Panel title={`${many(problems.length, 'problem')} in the text`} tone="bad">
          <Table
            caption="Problems in the text"
            rows={problems}
            keyOf={(problem) => `${problem.line} ${problem.path} ${problem.problem}`}
            empty="None."
            columns={[
              {
                name: 'Line',
                isHead: true,
                cell: (problem) => (
                  <button type="button" className="link" aria-label={`Go to line ${problem.line}`} onClick={() => show(problem.line)}>
                    {problem.line}
                  </button>
                ),
              },
              { name: 'Field', cell: (problem) => <code>{problem.path}</code> },
              { name: 'Problem', cell: (problem) => problem.problem },
            ]}
          />
        </Panel>
      )}
    </Page>
  );
}
