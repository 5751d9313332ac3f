package dev.jformer.run;

import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.model.Model;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A text as tokens, ready to be learned from by models of one kind. */
abstract class PreparedTokens implements PreparedData {
  private final String source;
  private final Workspace workspace;
  final TokenFile tokens;
  final Tokenizer tokenizer;

  /**
   * Tokens with their tokenizer.
   *
   * @param source where the text lies; empty if unknown
   * @param workspace closed with the data, as the tokens are; null for tokens that stay open
   */
  PreparedTokens(String source, TokenFile tokens, Tokenizer tokenizer, Workspace workspace) {
    this.source = source;
    this.tokens = tokens;
    this.tokenizer = tokenizer;
    this.workspace = workspace;
  }

  /**
   * The vocabulary of a model for these tokens: what it needs, or what it has, if it was trained
   * and has rows to spare.
   *
   * @param own the model's vocabulary
   * @param trained whether it begins with trained weights
   */
  final int vocabulary(int own, boolean trained) {
    return trained ? Math.max(own, vocabulary()) : vocabulary();
  }

  /** The number of ids that a model needs. */
  final int vocabulary() {
    return Math.max(tokenizer.vocabularySize(), tokens.header().vocabulary());
  }

  @Override
  public final String fingerprint() {
    return tokens.header().fingerprint();
  }

  @Override
  public final int checkTeacher(Path folder, Model teacher) {
    return SharedVocabulary.check(tokenizer, folder);
  }

  @Override
  public final DataSummary summary(Task task) {
    TokenFile.Header header = tokens.header();
    return new DataSummary(source, "tokens", header.trainTokens(), header.validationTokens(), "");
  }

  /** The tokens of a window to learn from, for a model that takes so many. */
  static int window(Recipe recipe, int longest) {
    return recipe.data() instanceof TextData text ? text.windowOf(longest) : longest;
  }

  @Override
  public final void saveCompanions(Path folder) throws IOException {
    if (!Files.exists(folder.resolve(Tokenizer.FILE))) {
      tokenizer.save(folder);
    }
  }

  @Override
  public final void close() {
    if (workspace != null) {
      tokens.close();
      workspace.close();
    }
  }
}
