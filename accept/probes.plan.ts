/** What the kit's rules and the sandbox's rest on, to be asked of the real thing. `npm run probes` makes docs/probes.md from this list. */
export interface Probe {
  /** What is done; what comes of it is the question. */
  readonly question: string;
  /** The answer that we go by, as the probe words it: status and code, or a word. */
  readonly assumed: string;
  /** Where that is from; `none` where no document says it. */
  readonly source: string;
  /** Date on which a real account last answered as assumed; undefined: none was asked yet. */
  readonly confirmed?: string;
}

type Row = readonly [question: string, assumed: string, source: string, confirmed?: string];

const probesOf = <Name extends string>(rows: Readonly<Record<Name, Row>>) =>
  Object.fromEntries(
    Object.entries<Row>(rows).map(([name, [question, assumed, source, confirmed]]) => [name, { question, assumed, source, confirmed }]),
  ) as Record<Name, Probe>;

export const PROBES = probesOf({
  'sigv2-new-bucket': [
    'GET signed with version 2, from a bucket made today',
    '400 InvalidRequest',
    'AWS News Blog; of each new bucket: none',
  ],
  'acl-private': ['PUT with x-amz-acl: private under BucketOwnerEnforced', '200', 'none: reports conflict'],
  'acl-public-read': ['the same with public-read', '400 AccessControlListNotSupported', 'S3 guide, Object Ownership'],
  'acl-owner': ['the same with bucket-owner-full-control', '200', 'S3 guide, Object Ownership'],
  'headers-unsorted': [
    'GET with SignedHeaders that are not sorted, and signed so',
    '403 SignatureDoesNotMatch',
    'none: follows from sorting',
  ],
  'header-unsigned': ['PUT with an x-amz- header that is not signed', '403 AccessDenied', 'S3 API, error responses'],
  'body-md5': ['PUT with the Content-MD5 of something else', '400 BadDigest', 'S3 API, error responses'],
  'clock-skew': ['GET dated 20 minutes back', '403 RequestTimeTooSkewed', 'S3 API, error responses'],
  'wrong-region': ['GET signed for another region, at the host of that region', '301 PermanentRedirect', 'S3 guide, Request redirection'],
  'absent-listed': ['GET of an object that is not there, by a key that may list', '404 NoSuchKey', 'S3 API, GetObject'],
  'absent-prefix': ['the same by a key that may list under a prefix alone', '404 NoSuchKey', 'none: GetObject names s3:ListBucket'],
  'write-once': ['PUT with If-None-Match: * where there is an object', '412 PreconditionFailed', 'S3 guide, Conditional writes'],
  'owner-other': ['LIST with the expected owner of another account', '403 AccessDenied', 'S3 guide, Bucket owner condition'],
  'bucket-full': ['DELETE of a bucket that is not empty', '409 BucketNotEmpty', 'S3 API, error responses'],
  'key-unknown': ['GET with a key id that nobody has', '403 InvalidAccessKeyId', 'S3 API, error responses'],
  'key-secret': ['GET with the secret of another key', '403 SignatureDoesNotMatch', 'S3 API, error responses'],
  'key-known-s3': ['a new key, until S3 takes it five times in a row', 'within 60 s', 'none: reports of some seconds'],
  'key-known-sts': ['the same with STS', 'within 60 s', 'none: reports of some seconds'],
  'key-third': ['a third access key for a user', '409 LimitExceeded', 'IAM and STS quotas'],
  'key-inactive': ['GET with a key made inactive, at last', '403 InvalidAccessKeyId', 'none: seen in reports'],
  'user-with-keys': ['DeleteUser of a user with keys', '409 DeleteConflict', 'IAM API, DeleteUser'],
  'user-taken': ['CreateUser with a name that is taken, from another region', '409 EntityAlreadyExists', 'IAM API, CreateUser'],
  quarantine: ['GET by a user with AWSCompromisedKeyQuarantineV3, attached by hand', '403 AccessDenied', 'its text; that it may be: none'],
  'stack-user-keys': ['a stack deleted whose user has a key it does not know', 'DELETE_FAILED', 'none: the handler lists DeleteAccessKey'],
  'stack-bucket-full': ['a stack deleted whose bucket is not empty', 'DELETE_FAILED', 'CloudFormation guide, AWS::S3::Bucket'],
  'secret-empty': ['the value of a secret made without one', '400 ResourceNotFoundException', 'Secrets Manager API, GetSecretValue'],
  'secret-again': ['versions after the same value and token were put twice', '1', 'Secrets Manager API, PutSecretValue'],
  'secret-label': ['versions labelled AWSPENDING after two were put so', '1', 'Secrets Manager guide, versions'],
  'release-none': ['releases made by a PATCH of config vars that changes nothing', '1', 'none: the worse of the two'],
  'release-unset': ['releases made by unsetting a config var that is not set', '0', 'none'],
  'release-buildpacks': ['releases made by setting buildpacks', '0', 'none'],
  'patch-answer': ['config vars that a PATCH of one of two answers with', '2', 'Platform API, config vars'],
  'released-at': ['released_at of the list of apps, after a change of config vars', 'moves', 'none: follows from what a release is'],
});

export type ProbeName = keyof typeof PROBES;
