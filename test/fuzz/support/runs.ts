/** How much is tried: a little in `npm test`, HALCYON_FUZZ of it by `npm run fuzz`. A seed that failed is given again as HALCYON_FUZZ_SEED. */
export const RUNS = Number(process.env.HALCYON_FUZZ ?? 300);
export const SEED = Number(process.env.HALCYON_FUZZ_SEED ?? Math.trunc(Date.now() % 2 ** 31));

/** The seed is printed with every run, failed or not. */
export const sayHow = (what: string): void => void process.stderr.write(`${what}: ${RUNS} runs, HALCYON_FUZZ_SEED=${SEED}\n`);
