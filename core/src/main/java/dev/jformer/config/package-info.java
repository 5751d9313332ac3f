/**
 * Configurations: trees of immutable records, JSON on disk, in which a part is named by its {@code
 * type}.
 *
 * <p>A part's configuration is a record that implements {@link dev.jformer.config.Part} through the
 * interface of its kind (a token mixer's, a position encoding's, …) and is found by {@link
 * java.util.ServiceLoader}: annotating the record with {@code @AutoService} is enough to register
 * it. Its no-argument constructor gives the defaults; a field that the JSON leaves out keeps its
 * default; an unknown field is an error. Only a field whose default is null may be null.
 */
package dev.jformer.config;
