package dev.jformer.run;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.Arrays;

/** Checks that a teacher and its student have the same tokens under the same ids. */
final class SharedVocabulary {
  private SharedVocabulary() {}

  /**
   * Compares a tokenizer with that of a teacher.
   *
   * @param folder of the teacher
   * @return the number of tokens
   * @throws RunException if they differ; the message names the first difference
   */
  static int check(Tokenizer own, Path folder) {
    Tokenizer other = Tokenizers.load(folder);
    if (Arrays.equals(own.json(), other.json())) {
      return own.vocabularySize();
    }
    if (own.vocabularySize() != other.vocabularySize()) {
      throw refused(
          folder, other.vocabularySize() + " tokens, the student's " + own.vocabularySize());
    }
    for (int id = 0; id < own.vocabularySize(); id++) {
      String ours = own.decode(new int[] {id});
      String theirs = other.decode(new int[] {id});
      if (!ours.equals(theirs)) {
        throw refused(
            folder, "the token '" + theirs + "' under id " + id + ", the student's '" + ours + "'");
      }
    }
    return own.vocabularySize();
  }

  private static RunException refused(Path folder, String difference) {
    return new RunException(
        "the teacher in "
            + folder
            + " has another vocabulary: it has "
            + difference
            + ". Predictions can only be compared token by token: give a teacher with the student's"
            + " tokenizer, or leave out --from, so that the student takes the teacher's");
  }
}
