package dev.jformer.app.command;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.run.TextData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The text of a recipe as tokens in a folder: {@code tokenizer.json} unless tokens are bytes, and
 * the token files under {@code data/}.
 */
record Texts(TextData data, Path folder, Console console) {
  /** The tokenizer: the folder's own, or else made or loaded as the recipe says, and kept there. */
  Tokenizer tokenizer() throws IOException {
    Path own = folder.resolve(Tokenizer.FILE);
    if (Files.exists(own)) {
      return Tokenizers.load(own);
    }
    Tokenizer tokenizer =
        switch (data.tokenizer()) {
          case "byte" -> new ByteTokenizer();
          case "bpe" -> TokenizerCommand.learn(corpus(), data.vocabulary(), console);
          default -> Tokenizers.load(Path.of(data.tokenizer()));
        };
    tokenizer.save(folder);
    return tokenizer;
  }

  /** The tokens, made anew where the text or the tokenizer has changed. */
  TokenFile tokens(Tokenizer tokenizer) throws IOException {
    Corpus corpus = corpus();
    try (Console.Bar bar = console.begin("tokenizing", corpus.bytes(), "bytes")) {
      return TokenFile.prepare(
          folder.resolve("data"), corpus, tokenizer, data.validation(), bytes -> bar.at(bytes, ""));
    }
  }

  /** The very tokens that are there; those of {@link #tokens} if there are none. */
  TokenFile tokensAsTheyAre(Tokenizer tokenizer) throws IOException {
    Path place = folder.resolve("data");
    return TokenFile.exists(place) ? TokenFile.open(place) : tokens(tokenizer);
  }

  private Corpus corpus() {
    return Corpus.open(Path.of(data.source()), data.endings());
  }
}
