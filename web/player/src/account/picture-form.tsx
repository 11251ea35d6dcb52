import { AVATAR_BYTES_MAX } from '@dopamine-hero/sdk';
import { type ChangeEvent, useId, useState } from 'react';
import { Avatar } from './avatar';
import { FormProblem, useTask } from './form';
import { dataUrl, PICTURE_TYPES, squarePicture } from './picture';
import { useBrowser, useMe } from './session';

/** What this browser is asked to open; what it sends is far below the server's limit. */
const FILE_MB_MAX = 20;
const MB = 1_024 * 1_024;

interface Chosen {
  picture: Blob;
  preview: string;
}

/** Choose, look, then send. */
export function PictureForm() {
  const { account } = useBrowser();
  const { me, replace } = useMe();
  const task = useTask();
  const id = useId();
  const hasPicture = (me?.avatar_url ?? null) !== null;
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [refused, setRefused] = useState('');
  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = '';
    if (file === undefined) return;
    setRefused('');
    const words = refusalOf(file);
    if (words !== null) return setRefused(words);
    try {
      const picture = await squarePicture(file);
      if (picture.size > AVATAR_BYTES_MAX) throw new Error('the picture stayed too large');
      setChosen({ picture, preview: await dataUrl(picture) });
    } catch {
      setRefused('This browser cannot read that picture. A JPEG, PNG or WebP works.');
    }
  };
  const save = () =>
    task.run(async () => {
      if (chosen === null) return;
      replace({ avatar_url: await account.uploadAvatar(chosen.picture) });
      setChosen(null);
    });
  const remove = () =>
    task.run(async () => {
      await account.removeAvatar();
      replace({ avatar_url: null });
    });
  return (
    <div className="picture-form">
      <Avatar url={chosen?.preview ?? me?.avatar_url ?? null} />
      <div>
        <div className="controls">
          {chosen === null ? (
            <>
              <label className="file-button" htmlFor={id}>
                Choose a picture
                <input id={id} className="visually-hidden" type="file" accept={PICTURE_TYPES.join(',')} aria-describedby={`${id}-hint`} onChange={(event) => void choose(event)} />
              </label>
              {hasPicture && (
                <button type="button" className="link" onClick={remove}>
                  Take it off
                </button>
              )}
            </>
          ) : (
            <>
              <button type="button" className="primary" autoFocus aria-disabled={task.busy} onClick={save}>
                {task.busy ? 'One moment…' : 'Use this one'}
              </button>
              <button type="button" className="link" onClick={() => setChosen(null)}>
                Not this one
              </button>
            </>
          )}
        </div>
        <p id={`${id}-hint`} className="quiet">
          JPEG, PNG or WebP, up to {FILE_MB_MAX} MB. The middle of it becomes a small round picture before it is sent.
        </p>
        {refused !== '' && (
          <p className="problem-line" role="alert">
            {refused}
          </p>
        )}
        <FormProblem problem={task.problem} />
      </div>
    </div>
  );
}

/** What is wrong with a file before anything is done with it. */
export function refusalOf(file: { type: string; size: number }): string | null {
  if (!(PICTURE_TYPES as readonly string[]).includes(file.type)) return 'A JPEG, PNG or WebP works here; this is something else.';
  if (file.size > FILE_MB_MAX * MB) return `This picture has ${(file.size / MB).toFixed(1)} MB; up to ${FILE_MB_MAX} MB work.`;
  return null;
}
