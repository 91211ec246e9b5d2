import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib/core';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { Packages } from '../examples/own-cdk-app.js';
import { parseConfig } from '../lib/config/index.js';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const readme = read('README.md');
const block = (language: string) => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(readme)?.[1] ?? '';

test("the README's construct example is the one that compiles, and it synthesises", () => {
  expect(block('ts')).toBe(read('examples/own-cdk-app.ts').replace("'../lib/index.js'", "'halcyon-kit'"));
  const template = Template.fromStack(new Packages(new App(), 'packages'));
  template.resourceCountIs('AWS::S3::Bucket', 1);
  template.hasResourceProperties('AWS::IAM::User', { Path: '/halcyon/upload/payments/' });
  template.resourceCountIs('AWS::IAM::AccessKey', 0);
});

test("the README's file is valid", () => {
  expect(parseConfig(block('yaml')).teams.map(({ apps }) => apps.map(({ mode }) => mode))).toEqual([['upload', 'read-only', 'public']]);
});
