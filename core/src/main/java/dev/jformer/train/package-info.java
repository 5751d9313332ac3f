/**
 * Training: the loop, the optimizer, schedules, metrics and checkpoints. The model, the data and
 * the loss form a {@link dev.jformer.train.Task}; the number of steps, the learning rate and the
 * like form a {@link dev.jformer.train.TrainingConfig}.
 */
package dev.jformer.train;
