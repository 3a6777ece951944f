/** What a job did. A subject is a ticker or a series. */
export interface JobReport {
  readonly job: string;
  readonly subjects: number;
  /** Rows that ingest has accepted; those that were stored already count as duplicates there. */
  readonly rows: number;
  /** Subjects for which there was nothing to fetch. */
  readonly up_to_date: number;
  readonly failed: readonly { readonly subject: string; readonly reason: string }[];
}
