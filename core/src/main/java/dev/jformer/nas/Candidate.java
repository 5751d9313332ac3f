package dev.jformer.nas;

import dev.jformer.model.Model;
import dev.jformer.train.Passes;

/**
 * What a {@link StudentScore} judges: a student with random weights, which it may change, the batch
 * that it reads, and a teacher.
 *
 * @param passes runs any model of the family on the batch
 * @param student with random weights, of its own initialisation
 * @param teacher with random weights too; scores only read it
 */
public record Candidate(Passes<?> passes, Model student, Model teacher) {}
