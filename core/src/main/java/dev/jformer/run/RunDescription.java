package dev.jformer.run;

/**
 * What a run trains on what.
 *
 * @param job the kind of task
 * @param model in words
 * @param parameters number of weights
 * @param data how much there is to learn from
 * @param unit what the throughput counts
 * @param step updates that were done before, if the run goes on; 0 if it begins
 */
public record RunDescription(
    String job, String model, long parameters, DataSummary data, String unit, long step) {}
