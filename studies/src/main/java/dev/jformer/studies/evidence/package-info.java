/** The results of studies as plain data: claims with their verdicts, tables and figures. */
package dev.jformer.studies.evidence;
