package dev.jformer.run;

/**
 * The description of a run: its model and its data.
 *
 * @param job the kind of task
 * @param model the model in words
 * @param parameters number of weights
 * @param data the amount of data
 * @param unit the unit of the throughput
 * @param step number of updates done before, if the run is resumed; 0 for a new run
 */
public record RunDescription(
    String job, String model, long parameters, DataSummary data, String unit, long step) {}
