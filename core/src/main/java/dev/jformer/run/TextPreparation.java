package dev.jformer.run;

import dev.jformer.config.ConfigException;
import dev.jformer.config.Nearest;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.data.tokenizer.TokenizerTrainer;
import dev.jformer.data.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Tokenizes a recipe's text in a workspace, writing {@code tokenizer.json} unless tokens are bytes,
 * and the token files under {@code data/}.
 */
record TextPreparation(TextData data, Workspace workspace) {
  private static final String BYTE = "byte";

  /** Loads the folder's tokenizer, or else learns or loads the recipe's and stores it there. */
  Tokenizer tokenizer() throws IOException {
    return tokenizer(
        workspace,
        data.tokenizer(),
        method -> learn(corpus(), method, data.vocabulary(), workspace.progress()));
  }

  /** Learns a vocabulary in one of the ways. */
  interface Learner {
    Tokenizer learn(TokenizerMethod method) throws IOException;
  }

  /** Loads the folder's tokenizer, or else the one that a recipe names, which is stored there. */
  static Tokenizer tokenizer(Workspace workspace, String named, Learner learner)
      throws IOException {
    Path own = workspace.folder().resolve(Tokenizer.FILE);
    if (Files.exists(own)) {
      return Tokenizers.load(own);
    }
    Optional<TokenizerMethod> method = TokenizerMethod.of(named);
    Tokenizer tokenizer;
    if (method.isPresent()) {
      tokenizer = learner.learn(method.get());
    } else {
      tokenizer = named.equals(BYTE) ? new ByteTokenizer() : load(named);
    }
    tokenizer.save(workspace.folder());
    return tokenizer;
  }

  private static Tokenizer load(String named) throws IOException {
    Path file = Path.of(named);
    if (!Files.exists(file)) {
      List<String> names = new ArrayList<>(List.of(BYTE));
      names.addAll(TokenizerMethod.labels());
      throw new ConfigException(
          "data.tokenizer is '"
              + named
              + "'"
              + Nearest.hint(named, names)
              + ": expected "
              + String.join(", ", names)
              + ", or the path of a tokenizer.json that exists");
    }
    return Tokenizers.load(file);
  }

  private static Tokenizer learn(
      Corpus corpus, TokenizerMethod method, int vocabulary, Progress progress) throws IOException {
    TokenizerTrainer trainer = method.trainer();
    long[] characters = new long[1];
    try (Progress.Work work = progress.begin("reading", corpus.bytes(), "bytes")) {
      corpus.read(
          text -> {
            trainer.piece(text);
            characters[0] += text.length();
            work.at(characters[0]);
          });
    }
    try (Progress.Work work = progress.begin("learning tokens", vocabulary, "tokens")) {
      return trainer.train(vocabulary, work::at);
    }
  }

  /** Tokenizes the text; a resumed run uses the tokens that it stored before. */
  TokenFile tokens(Tokenizer tokenizer) throws IOException {
    Path place = workspace.folder().resolve(RunFolder.DATA);
    if (workspace.isResumed() && TokenFile.exists(place)) {
      return TokenFile.open(place);
    }
    Corpus corpus = corpus();
    try (Progress.Work work = workspace.progress().begin("tokenizing", corpus.bytes(), "bytes")) {
      return TokenFile.prepare(place, corpus, tokenizer, data.validation(), work::at);
    }
  }

  private Corpus corpus() {
    return Corpus.open(Path.of(data.source()), data.endings());
  }
}
