// What every reader tells of each table, so that the answers can be laid side by side.

/**
 * By table: what is summed; what names a row (its distinct values are counted); a timestamp and a text whose least and
 * greatest are told; and a map with the key whose rows are counted.
 */
export const figures = {
  health_data_raw: {
    sums: ["value"],
    identity: ["user_id", "sample_id"],
    instant: "start_date",
    text: "user_id",
    map: { column: "metadata", key: "HKTimeZone" },
  },
  health_data_errors: {
    sums: ["kafka_offset"],
    identity: ["error_id"],
    instant: "error_timestamp",
    text: "error_message",
  },
  health_data_daily_agg: {
    sums: ["sum_value", "record_count", "first_value"],
    identity: ["user_id", "data_type", "aggregation_date"],
    instant: "window_start",
    text: "aggregation_date",
  },
  health_data_weekly_agg: {
    sums: ["sum_value", "record_count", "day_count"],
    identity: ["user_id", "data_type", "week_start_date"],
    instant: "window_end",
    text: "week_end_date",
  },
  health_data_monthly_agg: {
    sums: ["sum_value", "record_count", "daily_avg_of_avg"],
    identity: ["user_id", "data_type", "month_start_date"],
    instant: "window_end",
    text: "month_end_date",
  },
};
