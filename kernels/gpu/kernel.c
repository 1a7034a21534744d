/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compute pipelines with push descriptors and specialization constants. */
#include "kernels/gpu/vk.h"

#include <string.h>
#include "base/clock.h"

const struct gpu_module *gpu_module_find(const char *name)
{
	for (const struct gpu_module *m = gpu_modules; m->name; m++)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

static int find_module(
	const struct gpu *g, const char *name, const struct gpu_module **ret, struct error *err)
{
	const struct gpu_module *m = gpu_module_find(name);
	uint32_t missing;

	if (!m)
		return error_set(err, E_INTERNAL, "there is no shader module '%s'", name);
	missing = m->needs & ~g->p.info.features;
	if (missing)
		return error_set(err, E_NOT_IMPLEMENTED, "'%s' lacks %s, which '%s' needs",
			g->p.info.name, gpu_feature_name(missing & -missing), name);
	if (m->n_bufs > g->p.info.max_buffers)
		return error_set(err, E_NOT_IMPLEMENTED,
			"'%s' binds %u storage buffers; a shader on '%s' may have %u", name,
			m->n_bufs, g->p.info.name, g->p.info.max_buffers);
	*ret = m;
	return OK;
}

static int check_group(
	const struct gpu *g, const uint32_t *spec, size_t n_spec, struct error *err)
{
	const struct gpu_info *i = &g->p.info;
	uint64_t product = 1;

	for (size_t k = 0; k < MIN(n_spec, (size_t)3); k++) {
		if (spec[k] < 1 || spec[k] > i->max_group_size[k])
			return error_set(err, E_NOT_IMPLEMENTED,
				"a workgroup of %u invocations in dimension %zu is over the "
				"%u of '%s'",
				spec[k], k, i->max_group_size[k], i->name);
		product *= spec[k];
	}
	if (product > i->max_group_invocations)
		return error_set(err, E_NOT_IMPLEMENTED,
			"a workgroup of %llu invocations is over the %u of '%s'",
			(unsigned long long)product, i->max_group_invocations, i->name);
	return OK;
}

static int check_subgroup(const struct gpu *g, uint32_t size, struct error *err)
{
	const struct gpu_info *i = &g->p.info;

	if (size == 0 || size == i->subgroup_size)
		return OK;
	if (!g->p.has_size_control || size < i->subgroup_min || size > i->subgroup_max)
		return error_set(err, E_NOT_IMPLEMENTED,
			"'%s' runs subgroups of %u to %u invocations, not %u", i->name,
			i->subgroup_min, i->subgroup_max, size);
	return OK;
}

static int create_layouts(struct gpu_kernel *k, struct error *err)
{
	struct gpu *g = k->g;
	VkDescriptorSetLayoutBinding bindings[GPU_MAX_BUFS];
	VkDescriptorSetLayoutCreateInfo set = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
		.bindingCount = k->module->n_bufs,
		.pBindings = bindings,
	};
	VkPushConstantRange push = {
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		.size = GPU_MAX_PUSH,
	};
	VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &k->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	int r;

	for (uint32_t i = 0; i < k->module->n_bufs; i++)
		bindings[i] = (VkDescriptorSetLayoutBinding){
			.binding = i,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		};
	r = gpu_check(g, g->f.CreateDescriptorSetLayout(g->device, &set, NULL, &k->set_layout),
		"vkCreateDescriptorSetLayout", err);
	if (r < 0)
		return r;
	return gpu_check(g, g->f.CreatePipelineLayout(g->device, &layout, NULL, &k->layout),
		"vkCreatePipelineLayout", err);
}

static int create_shader(struct gpu_kernel *k, VkShaderModule *ret, struct error *err)
{
	VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = k->module->bytes,
		.pCode = k->module->spirv,
	};

	return gpu_check(k->g, k->g->f.CreateShaderModule(k->g->device, &info, NULL, ret),
		"vkCreateShaderModule", err);
}

struct stage { /* what the pipeline's create info points at */
	VkSpecializationMapEntry entries[GPU_MAX_SPEC];
	VkSpecializationInfo spec;
	VkPipelineShaderStageRequiredSubgroupSizeCreateInfoEXT size;
	VkPipelineCreationFeedbackEXT whole, part;
	VkPipelineCreationFeedbackCreateInfoEXT feedback;
	VkComputePipelineCreateInfo info;
};

static void fill_spec(struct stage *s, const uint32_t *spec, size_t n)
{
	for (uint32_t i = 0; i < n; i++)
		s->entries[i] = (VkSpecializationMapEntry){
			.constantID = i, .offset = 4 * i, .size = 4
		};
	s->spec = (VkSpecializationInfo){
		.mapEntryCount = (uint32_t)n,
		.pMapEntries = s->entries,
		.dataSize = 4 * n,
		.pData = spec,
	};
}

static void fill_stage(struct stage *s, const struct gpu_kernel *k, VkShaderModule shader,
	uint32_t subgroup_size)
{
	const struct vk_physical *p = &k->g->p;

	s->info = (VkComputePipelineCreateInfo){
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = shader,
			.pName = "main",
			.pSpecializationInfo = &s->spec },
		.layout = k->layout,
	};
	if (subgroup_size && p->has_size_control) {
		s->size.sType =
			VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO_EXT;
		s->size.requiredSubgroupSize = subgroup_size;
		s->info.stage.pNext = &s->size;
	}
	if (p->extensions >> VKX_FEEDBACK & 1) {
		s->feedback = (VkPipelineCreationFeedbackCreateInfoEXT){
			.sType = VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO_EXT,
			.pPipelineCreationFeedback = &s->whole,
			.pipelineStageCreationFeedbackCount = 1,
			.pPipelineStageCreationFeedbacks = &s->part,
		};
		s->info.pNext = &s->feedback;
	}
	if (p->has_executables)
		s->info.flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR;
}

static int read_cache_hit(const struct stage *s)
{
	if (!(s->whole.flags & VK_PIPELINE_CREATION_FEEDBACK_VALID_BIT_EXT))
		return -1;
	return !!(s->whole.flags &
		  VK_PIPELINE_CREATION_FEEDBACK_APPLICATION_PIPELINE_CACHE_HIT_BIT_EXT);
}

static int create_pipeline(struct gpu_kernel *k, const uint32_t *spec, size_t n_spec,
	uint32_t subgroup_size, struct error *err)
{
	struct gpu *g = k->g;
	struct stage s = { 0 };
	VkShaderModule shader = VK_NULL_HANDLE;
	int64_t start = clock_monotonic_ns();
	int r = create_shader(k, &shader, err);

	if (r < 0)
		return r;
	fill_spec(&s, spec, n_spec);
	fill_stage(&s, k, shader, subgroup_size);
	r = gpu_check(g,
		g->f.CreateComputePipelines(
			g->device, g->cache, 1, &s.info, NULL, &k->pipeline),
		"vkCreateComputePipelines", err);
	k->compile_s = (double)(clock_monotonic_ns() - start) / NS_PER_S;
	k->cache_hit = read_cache_hit(&s);
	g->f.DestroyShaderModule(g->device, shader, NULL);
	return r;
}

int gpu_kernel_new(struct gpu *g, const char *module, const uint32_t *spec, size_t n_spec,
	uint32_t subgroup_size, struct gpu_kernel **ret, struct error *err)
{
	_cleanup_(gpu_kernel_free)
	struct gpu_kernel *k = xcalloc(1, sizeof(*k));
	int r;

	k->g = g;
	if (n_spec > GPU_MAX_SPEC)
		return error_set(err, E_INTERNAL, "%zu specialization constants", n_spec);
	r = gpu_usable(g, err);
	if (r == OK)
		r = find_module(g, module, &k->module, err);
	if (r == OK)
		r = check_group(g, spec, n_spec, err);
	if (r == OK)
		r = check_subgroup(g, subgroup_size, err);
	if (r == OK)
		r = create_layouts(k, err);
	if (r == OK)
		r = create_pipeline(k, spec, n_spec, subgroup_size, err);
	if (r < 0)
		return r;
	*ret = TAKE(k);
	return OK;
}

void gpu_kernel_free(struct gpu_kernel *k)
{
	if (!k)
		return;
	if (!k->g->is_lost && !k->g->is_stopped) {
		if (k->pipeline)
			k->g->f.DestroyPipeline(k->g->device, k->pipeline, NULL);
		if (k->layout)
			k->g->f.DestroyPipelineLayout(k->g->device, k->layout, NULL);
		if (k->set_layout)
			k->g->f.DestroyDescriptorSetLayout(k->g->device, k->set_layout, NULL);
	}
	free(k);
}

double gpu_kernel_compile_s(const struct gpu_kernel *k)
{
	return k->compile_s;
}

int gpu_kernel_cache_hit(const struct gpu_kernel *k)
{
	return k->cache_hit;
}

/* --- VK_KHR_pipeline_executable_properties ----------------------------------------------- */

static json_t *statistic_json(const VkPipelineExecutableStatisticKHR *s)
{
	switch (s->format) {
	case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR:
		return json_boolean(s->value.b32);
	case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR:
		return json_integer(s->value.i64);
	case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR:
		return json_integer((json_int_t)s->value.u64);
	default:
		return json_real(s->value.f64);
	}
}

json_t *gpu_kernel_stats(const struct gpu_kernel *k)
{
	enum { MOST = 32 };
	struct gpu *g = k->g;
	VkPipelineExecutableStatisticKHR all[MOST];
	VkPipelineExecutableInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR,
		.pipeline = k->pipeline,
	};
	uint32_t n = MOST;
	json_t *o;

	if (!g->p.has_executables || !g->f.GetPipelineExecutableStatisticsKHR)
		return NULL;
	memset(all, 0, sizeof(all));
	for (uint32_t i = 0; i < MOST; i++)
		all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
	if (g->f.GetPipelineExecutableStatisticsKHR(g->device, &info, &n, all) < 0)
		return NULL;
	o = json_object();
	for (uint32_t i = 0; i < n; i++)
		json_object_set_new(o, all[i].name, statistic_json(&all[i]));
	return o;
}
