/** What a module's little screen shows: one line drawing each, in a box of 60 by 28. */

export const GLYPHS: Record<string, string> = {
  gen_sine: 'M2 14c7-16 12-16 18.7 0s11.7 16 18.7 0 11.6-16 18.6 0',
  gen_pulse: 'M2 22h8V6h12v16h12V6h12v16h12',
  gen_saw: 'M2 22 20 6v16L38 6v16L56 6v16',
  gen_noise: 'M2 14l3-7 3 12 3-9 3 4 3-10 3 18 3-11 3 6 3-9 3 13 3-15 3 10 3-5 3 8 3-12 3 9 3-4 3 6',
  gen_fm: 'M2 14c2-14 4-14 6 0s3 12 5 0 3-12 8 0 6 14 10 0 5-14 8 0 3 12 5 0 4-14 6 0 3 12 6 0',
  gen_wavetable: 'M6 20c6-14 10-14 16 0s10 4 14-4 8-8 12 0M12 15c6-14 10-14 16 0s10 4 14-4 8-8 12 0M2 25c6-14 10-14 16 0s10 4 14-4 8-8 12 0',
  gen_granular: 'M4 18h1M10 10h1M15 20h1M19 7h1M24 15h1M28 22h1M31 9h1M36 17h1M40 5h1M44 13h1M47 21h1M52 10h1M56 16h1M22 22h1M50 17h1M13 14h1',
  gen_aurora: 'M4 24C10 4 16 4 18 14s6 10 10-4 8-8 10 4 8 8 18-10M4 18c8-8 14-12 18-4s8 8 12 0 8-4 12 2 6 4 10-2',
  mul_vca: 'M18 4v20l24-10zM4 14h14M42 14h14',
  mul_mixer: 'M4 5c16 0 18 9 30 9M4 14h30M4 23c16 0 18-9 30-9M34 14h22',
  mul_drive: 'M2 14c3-9 5-9 8-9h8c3 0 5 18 9 18h8c4 0 5-18 9-18h8c3 0 4 3 6 9',
  mul_chorus: 'M2 10c7-10 12-10 18 0s12 10 18 0 12-10 20 0M2 14c7-10 12-10 18 0s12 10 18 0 12-10 20 0M2 18c7-10 12-10 18 0s12 10 18 0 12-10 20 0',
  mul_lattice: 'M12 2v24M24 2v24M36 2v24M48 2v24M4 7h52M4 14h52M4 21h52',
  mul_supernova: 'M30 2v8M30 18v8M18 14h8M34 14h8M21 5l6 6M33 17l6 6M39 5l-6 6M27 17l-6 6M6 14h4M50 14h4',
  mod_filter: 'M2 9h24c8 0 8-5 12-5 6 0 8 20 20 20',
  mod_env_creative: 'M2 24 12 4l10 10h16l18 10M44 6l3 3 6-6',
  mod_env_analytical: 'M2 24 12 4l10 10h16l18 10M44 10l5-7 5 7z',
  mod_env_physical: 'M2 24 12 4l10 10h16l18 10M53 6a4 4 0 1 1-8 0 4 4 0 0 1 8 0z',
  mod_env_learning: 'M2 24 12 4l10 10h16l18 10M44 3h10M44 6h10M44 9h7',
  mod_lfo: 'M2 14c10-16 18-16 28 0s18 16 28 0',
  mod_gate: 'M2 22h8V8h10v14h6V8h6v14h10V8h4v14h12',
  mod_reverb: 'M6 3v22M13 5v18M20 7v14M27 9v10M34 10v8M41 11v6M48 12v4M55 13v2',
  mod_resonator: 'M2 22c16 0 20-2 24-18 1-4 3-4 4 0 4 16 12 18 28 18',
  mod_compressor: 'M4 25 26 10c10-4 20-5 30-5M4 25h52M4 25V3',
  mod_horizon: 'M2 20h56M18 20a12 12 0 0 1 24 0M30 3v2M12 9l2 2M48 9l-2 2M10 25h40',
  spc_patience: 'M20 3h20M20 25h20M22 3c0 7 8 8 8 11s-8 4-8 11M38 3c0 7-8 8-8 11s8 4 8 11',
  spc_clock: 'M41 14a11 11 0 1 1-22 0 11 11 0 0 1 22 0zM30 7v7l5 4',
  spc_memory: 'M18 5h24v18H18zM24 1v4M30 1v4M36 1v4M24 23v4M30 23v4M36 23v4M12 10h6M12 18h6M42 10h6M42 18h6',
  spc_bus: 'M4 8h52M4 20h52M14 8v12M30 8v12M46 8v12',
  spc_feedback: 'M10 14a12 9 0 0 1 34-5M50 14a12 9 0 0 1-34 5M44 3v7h-7M16 25v-7h7',
  spc_singularity: 'M30 14c0-3 5-3 5 1s-8 6-11 1 2-12 10-11 12 9 6 15-20 5-23-4S24 0 36 2s20 12 14 20',
};

/** A module that this version has no drawing for still gets a calm line. */
export const UNKNOWN_GLYPH = 'M2 14h18l4-6 6 12 4-6h24';
