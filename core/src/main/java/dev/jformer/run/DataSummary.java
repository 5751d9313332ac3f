package dev.jformer.run;

/**
 * The amount of a recipe's data.
 *
 * @param source the file or folder of the data
 * @param unit the unit of the counts, for example {@code tokens}
 * @param training number of units to train on
 * @param heldOut number of units to evaluate on
 * @param detail more in words; empty for nothing
 */
public record DataSummary(String source, String unit, long training, long heldOut, String detail) {}
