package dev.jformer.run;

/**
 * A class with its probability.
 *
 * @param label the name of the class
 * @param probability 0 to 1
 */
public record Prediction(String label, double probability) {}
