package dev.jformer.run;

/**
 * How much there is to learn from.
 *
 * @param source where the data lies
 * @param unit what is counted, for example {@code tokens}
 * @param training units to learn from
 * @param heldOut units to evaluate on
 * @param detail more in words; empty for nothing
 */
public record DataSummary(String source, String unit, long training, long heldOut, String detail) {}
