/**
 * Recipes and the jobs that carry them out. A {@link dev.jformer.run.Recipe} says what is trained,
 * on what data and how; the {@link dev.jformer.run.Job} that suits its data and model makes the
 * data ready, builds the model, trains, measures, saves and uses it. {@link dev.jformer.run.Run}
 * does all of this in a folder, {@link dev.jformer.run.Training} in memory.
 */
package dev.jformer.run;
