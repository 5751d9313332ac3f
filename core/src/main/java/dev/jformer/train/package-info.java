/**
 * Training: the loop, the optimizer, schedules, metrics and checkpoints. What is trained, on what
 * data, with what loss is a {@link dev.jformer.train.Task}; how long and how fast is a {@link
 * dev.jformer.train.TrainingConfig}.
 */
package dev.jformer.train;
