/**
 * Weights on disk: safetensors files, single or in Hugging Face's shards.
 *
 * <p>{@link dev.jformer.io.Weights} reads and writes the weights of a model's directory, whether
 * they lie in one file or in many; {@link dev.jformer.io.SafetensorsFile} is a single file. Reading
 * maps the file and copies nothing; writing goes to a temporary file that replaces the old one only
 * when it is complete and on the disk. Files are not trusted: a damaged file is refused with a
 * {@link dev.jformer.io.FormatException} that says where it is wrong.
 */
package dev.jformer.io;
