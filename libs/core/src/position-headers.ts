/**
 * Headers of a shard's last accepted message: how far the validator has come. Beside them stands `OTHERS_HEADER` where the
 * dataset has several tables of records.
 */

/** Last sequence of INTAKE that is validated. */
export const INPUT_SEQUENCE_HEADER = "Firn-Input-Sequence";
/** Identity of the INTAKE stream that the sequence belongs to. */
export const INPUT_IDENTITY_HEADER = "Firn-Input-Identity";
/** Records that the shard has received since the lake was made. */
export const RECORDS_HEADER = "Firn-Records";
