/**
 * Recipes and the jobs that run them. A {@link dev.jformer.run.Recipe} is the complete
 * configuration of a run; the {@link dev.jformer.run.Job} of its data and model prepares the data,
 * builds the model, trains, measures, saves and uses it. {@link dev.jformer.run.Run} does all of
 * this in a folder, {@link dev.jformer.run.Training} in memory.
 */
package dev.jformer.run;
