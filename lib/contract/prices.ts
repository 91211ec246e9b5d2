/** List prices in USD, us-east-1, as of November 2026, dynos by the second; docs/cost.md says where each is from. */
export const PRICES = {
  /** Of S3, a request that writes, copies or lists, one that reads; a gigabyte from one region to another. */
  ...{ s3Write: 0.005 / 1000, s3Read: 0.004 / 10_000, s3Transfer: 0.02 },
  ...{ secretMonth: 0.4, secretCall: 0.05 / 10_000 },
  dynoMonth: {
    ...{ basic: 7, 'standard-1x': 25, 'standard-2x': 50, 'performance-m': 250, 'performance-l': 500 },
    ...{ 'performance-l-ram': 500, 'performance-xl': 750, 'performance-2xl': 1500 },
  },
};
/** In the shorter of months, so that what is said is not too little. */
export const HOURS_A_MONTH = 720;
