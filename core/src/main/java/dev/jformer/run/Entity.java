package dev.jformer.run;

/**
 * A named entity in a text.
 *
 * @param type its type, for example {@code person}
 * @param text its words as they stand in the text
 * @param start index of its first character in the text
 * @param end index after its last character
 * @param probability the mean of the probabilities of its words' labels, 0 to 1
 */
public record Entity(String type, String text, int start, int end, double probability) {}
