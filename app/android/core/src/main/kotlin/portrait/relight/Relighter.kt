// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/**
 * Relights photos: the one place that orders the stages. Threads may share it.
 *
 * ```kotlin
 * val portrait = relighter.look(photo)
 * val result = portrait.render(portrait.suggest())
 * result.image; result.setup.reason
 * ```
 *
 * All of it takes a while: [awaitLook], [awaitRender] and [previews] are the same for coroutines.
 *
 * @param perception finds faces and people.
 * @param stages makes the estimates.
 * @param threads for the full-resolution work; the networks are too small to be shared out.
 */
public class Relighter @JvmOverloads constructor(
    private val perception: Perception,
    private val stages: Stages,
    private val threads: Int = 1,
) : AutoCloseable {
    init {
        require(threads >= 1) { "threads is >= 1, got $threads" }
    }

    /** On the networks that come with the library. */
    @JvmOverloads
    public constructor(models: Models, threads: Int = 1) :
        this(NetworkPerception(models), NetworkStages(models), threads)

    /**
     * Looks at a photo once: its faces, their normals and the light on them.
     *
     * @throws NoFaceError if the photo shows no face.
     */
    public fun look(photo: Photo): Portrait {
        val faces = findFaces(photo)
        if (faces.isEmpty()) throw NoFaceError("No face found in this photo.")
        return Portrait(photo, faces.map { analyze(photo, it) }, stages, threads)
    }

    /**
     * Relights every face of a photo; [look] once to try several lights.
     *
     * @param lights the lights to add; null places one automatically.
     * @param fill share of the existing light that stays on the person, in (0, 1].
     * @param strength in [0, 100]; 0 gives the photo bit for bit.
     * @throws NoFaceError if the photo shows no face.
     * @throws IllegalArgumentException for numbers out of range.
     */
    @JvmOverloads
    public fun relight(
        photo: Photo,
        lights: List<Light>? = null,
        fill: Double? = null,
        strength: Double = 1.0,
    ): Result {
        val portrait = look(photo)
        val setup = if (lights == null) portrait.suggest() else Setup(lights)
        return portrait.render(if (fill == null) setup else setup.copy(fill = fill), strength)
    }

    /**
     * Begins a take: pictures that follow each other, in which a face's light is kept steady.
     *
     * @throws IllegalStateException if the stages are not the library's networks.
     */
    public fun take(): Take {
        check(stages is NetworkStages) { "a take needs the library's networks" }
        return Take(perception, stages, threads)
    }

    /** All faces of a photo, largest first; an empty list when there is none. */
    public fun findFaces(photo: Photo): List<Face> = perception.find(photo)

    /** Estimates normals and existing light around one of [findFaces]. */
    public fun analyze(photo: Photo, face: Face): Analysis = analyze(perception, stages, photo, face)

    /**
     * The automatic key of one face, without its fill; its intensity is 0 if none is needed.
     * [Portrait.suggest] gives all of the setup.
     */
    public fun place(analysis: Analysis): Light =
        setUp(listOf(analysis), Wanted.Automatic, 1) { listOf(gainOf(stages, analysis, it).head) }.lights[0]

    /** Key gain G of a light's direction and softness, for unit intensity and white light, on the photo. */
    public fun keyGain(analysis: Analysis, light: Light): Raster {
        val photo = analysis.photo
        return Portrait(photo, listOf(analysis), stages, threads).gain(light).expand(photo.height, photo.width)
    }

    /** Frees the networks. */
    override fun close() {
        perception.close()
        stages.close()
    }
}
